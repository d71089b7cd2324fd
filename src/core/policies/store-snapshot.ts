import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { acceptPackage, type Upload } from './accept-package.ts';
import { keepPackage, snapshotWrites } from './keep-package.ts';
import { requireSnapshot } from './find-snapshot.ts';
import { digestName } from '../packages/digest.ts';
import { getRecords } from '../records.ts';
import { digestKey, summaryKey } from './policy-keys.ts';
import type { PolicySummary } from './policy-summary.ts';
import { newSnapshot, type SnapshotRecord } from './snapshot-record.ts';

export interface StoredSnapshot {
  readonly status: 'stored' | 'unchanged';
  readonly record: SnapshotRecord;
}

/** Stores a package and moves no channel. The same bytes again: `unchanged`. */
export async function storeSnapshot(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  id: string,
  upload: Upload,
  reason: string | null,
): Promise<StoredSnapshot> {
  const { tenant, actor } = origin;
  const accepted = await acceptPackage(id, upload);
  return commit(deps, origin, async (): Promise<Decision<StoredSnapshot>> => {
    const [known, summary] = await getRecords(deps, [
      digestKey(tenant, id, accepted.digest),
      summaryKey(tenant, id),
    ]);
    if (known !== undefined) {
      const { snapshot } = known.value;
      const record = await requireSnapshot(deps, tenant, id, snapshot);
      return { kind: 'unchanged', result: { status: 'unchanged', record } };
    }
    const body = await keepPackage(deps, tenant, accepted);
    const record = newSnapshot(accepted, actor, deps.clock.nowMs());
    const { snapshot, version, digest } = record;
    return {
      kind: 'change',
      entry: {
        action: 'snapshot.stored',
        subject: id,
        before: null,
        after: { snapshot, version, digest: digestName(digest) },
        reason,
      },
      writes: (entry) => [
        ...snapshotWrites(tenant, id, record, body),
        ...(summary === undefined ? [newSummary(tenant, id, entry.at)] : []),
      ],
      result: () => ({ status: 'stored', record }),
    };
  });
}

function newSummary(tenant: string, id: string, createdAt: string): RecordWrite {
  const value: PolicySummary = { id, createdAt, channels: {} };
  return { kind: 'put', key: summaryKey(tenant, id), value, expect: 'absent' };
}
