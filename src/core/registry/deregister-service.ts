import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { noService } from './read-service.ts';
import {
  serviceNamePattern,
  serviceSecret,
  servicesTally,
  serviceSubject,
} from './service-keys.ts';
import { manifestJson, readParts, removeWrites } from './service-writes.ts';

/**
 * Takes a service out of the registry: it gets no call and no probe any more, and its secret is
 * gone. The secret goes first: after a call that failed the service may be left without it, and gets
 * no calls; a repeat ends it. The other way round, a secret could be left that nobody looks for.
 * Errors: `NotFound`; those of `commit`.
 */
export async function deregisterService(
  deps: Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'secrets'>,
  origin: Origin,
  name: string,
): Promise<void> {
  if (!serviceNamePattern.test(name)) throw noService(name);
  const ref = { tenant: origin.tenant, name };
  await deps.secrets.delete(serviceSecret(ref));
  const isRemoved = await commit(deps, origin, async (): Promise<Decision<boolean>> => {
    const held = await readParts(deps, ref);
    if (held.service === undefined) return { kind: 'unchanged', result: false };
    return {
      kind: 'change',
      entry: {
        action: 'service.removed',
        subject: serviceSubject(name),
        before: { manifest: manifestJson(held.service.value.manifest) },
        after: null,
        reason: null,
      },
      tally: { [servicesTally]: -1 },
      writes: () => removeWrites(held),
      result: () => true,
    };
  });
  if (!isRemoved) throw noService(name);
}
