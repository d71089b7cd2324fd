import { digestName } from '../core/packages/digest.ts';
import type { Ticket } from '../core/rollouts/ticket.ts';

export function ticketView({ binding, ...ticket }: Ticket) {
  const policies = binding.policies.map(({ digest, replaces, ...policy }) => ({
    ...policy,
    digest: digestName(digest),
    replaces: replaces === null ? null : digestName(replaces),
  }));
  return { ...ticket, binding: { policies, report: binding.report } };
}
