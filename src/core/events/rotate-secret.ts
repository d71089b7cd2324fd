import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { findService, noService } from '../registry/read-service.ts';
import { serviceSubject } from '../registry/service-keys.ts';
import { serviceSecret } from './event-keys.ts';
import { newSigningSecret } from './signing-secret.ts';

type RotateDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'secrets'>;

/**
 * Gives a service a new key that deliveries to it are signed with from now on, and answers it: this
 * once. The journal tells only that it was changed. It is stored first: a call that failed may have
 * changed it, and is repeated. Errors: `NotFound`; those of `commit`.
 */
export async function rotateSecret(
  deps: RotateDeps,
  origin: Origin,
  service: string,
): Promise<string> {
  const { tenant } = origin;
  if ((await findService(deps, tenant, service)) === undefined) throw noService(service);
  const secret = newSigningSecret();
  await deps.secrets.put(serviceSecret(tenant, service), secret);
  await commit(deps, origin, async (): Promise<Decision<void>> => {
    const found = await findService(deps, tenant, service);
    if (found === undefined) throw noService(service);
    const { key, rev } = found.service;
    return {
      kind: 'change',
      entry: {
        action: 'service.rekeyed',
        subject: serviceSubject(service),
        before: null,
        after: { secretChanged: true },
        reason: null,
      },
      writes: () => [{ kind: 'check', key, expect: rev }],
      result: () => undefined,
    };
  });
  return secret;
}
