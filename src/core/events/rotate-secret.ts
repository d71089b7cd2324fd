import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { findService, noService } from '../registry/read-service.ts';
import { serviceSecret, serviceSubject } from '../registry/service-keys.ts';
import { newSigningSecret } from './signing-secret.ts';

type RotateDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'secrets'>;

/**
 * Gives a service a new secret that what we send it is signed by from now on, and answers it: this
 * once. Calls are signed by the one before as well, until the next change, so that a service has the
 * time to take it. The journal tells only that it was changed. It is stored first: a call that failed
 * may have changed it, and is repeated. Errors: `NotFound`; those of `commit`.
 */
export async function rotateSecret(
  deps: RotateDeps,
  origin: Origin,
  service: string,
): Promise<string> {
  const { tenant } = origin;
  if ((await findService(deps, tenant, service)) === undefined) throw noService(service);
  const secret = newSigningSecret();
  const ref = serviceSecret({ tenant, name: service });
  await deps.secrets.put(ref, secret);
  const secretId = deps.ids.next();
  const isThere = await commit(deps, origin, async (): Promise<Decision<boolean>> => {
    const found = await findService(deps, tenant, service);
    if (found === undefined) return { kind: 'unchanged', result: false };
    const { key, rev, value } = found.service;
    return {
      kind: 'change',
      entry: {
        action: 'service.rekeyed',
        subject: serviceSubject(service),
        before: null,
        after: { secretChanged: true },
        reason: null,
      },
      writes: () => [{ kind: 'put', key, value: { ...value, secretId }, expect: rev }],
      result: () => true,
    };
  });
  if (isThere) return secret;
  // It was removed meanwhile, perhaps before the secret was put.
  await deps.secrets.delete(ref);
  throw noService(service);
}
