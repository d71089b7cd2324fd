import type { Deps } from '../deps.ts';
import { Conflict, NotFound } from '../errors/app-error.ts';
import { getRecord, queryRecords } from '../records.ts';
import {
  policyPartition,
  snapshotKey,
  type SnapshotPointer,
  snapshotPrefix,
  versionPrefix,
} from './policy-keys.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

/** Candidates that an ambiguous name is answered with, at the most. */
const maxCandidates = 10;

/**
 * The snapshot of a policy that a name stands for: its id or a unique prefix of it,
 * `sha256:<hex>` or a unique prefix of that, the digits alone, or its version.
 * Errors: `NotFound`; `Conflict` (`ambiguous_snapshot`) with the candidates.
 */
export async function findSnapshot(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  name: string,
): Promise<SnapshotRecord> {
  const partition = policyPartition(tenant, id);
  const exact = await getRecord(deps, snapshotKey(tenant, id, name));
  if (exact !== undefined) return exact.value;
  const found = await queryRecords<SnapshotPointer>(deps, {
    partition,
    prefix: prefixFor(name),
    limit: maxCandidates + 1,
  });
  const ids = found.map(({ value }) => value.snapshot);
  const [only] = ids;
  if (only === undefined) {
    throw new NotFound(`The policy has no snapshot "${name}". List them with GET …/snapshots.`);
  }
  if (ids.length > 1) {
    throw new Conflict(
      `"${name}" fits several snapshots. Name one of them.`,
      'ambiguous_snapshot',
      ids.slice(0, maxCandidates).map((candidate) => ({ pointer: '/snapshot', detail: candidate })),
    );
  }
  return requireSnapshot(deps, tenant, id, only);
}

/** A snapshot that a record speaks of, and so must be there. */
export async function requireSnapshot(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  snapshot: string,
): Promise<SnapshotRecord> {
  const record = await getRecord(deps, snapshotKey(tenant, id, snapshot));
  if (record === undefined) throw new Error(`The record of ${id} ${snapshot} is missing.`);
  return record.value;
}

function prefixFor(name: string): string {
  const digest = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(name)?.[1];
  if (digest !== undefined) return `digest#${digest}`;
  if (/^v\d/.test(name)) return `${snapshotPrefix}${name}`;
  return versionPrefix(name);
}
