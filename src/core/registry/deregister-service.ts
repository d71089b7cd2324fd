import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { noService } from './read-service.ts';
import { servicesTally, serviceSubject } from './service-keys.ts';
import { manifestJson, readParts, removeWrites } from './service-writes.ts';

/** Takes a service out of the registry: it gets no call and no probe any more. Errors: `NotFound`. */
export async function deregisterService(
  deps: Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  name: string,
): Promise<void> {
  const isRemoved = await commit(deps, origin, async (): Promise<Decision<boolean>> => {
    const held = await readParts(deps, { tenant: origin.tenant, name });
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
