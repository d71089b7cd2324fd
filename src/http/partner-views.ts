import { digestName } from '../core/packages/digest.ts';
import type { Delivery } from '../core/partners/delivery.ts';
import type { Partner } from '../core/partners/partner.ts';

/** Where a partner is told. Its secret is not even at hand here. */
export function partnerView({ name, target, createdAt, createdBy, changedAt }: Partner) {
  return { name, ...target, createdAt, createdBy, changedAt };
}

export function deliveryView({ tenant: _, policies, ...delivery }: Delivery) {
  return {
    ...delivery,
    policies: policies.map((policy) => ({ ...policy, digest: digestName(policy.digest) })),
  };
}
