import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import type { AcceptedPackage } from './accept-package.ts';
import type { StoredBody } from './channel-record.ts';
import { bodyKey, digestKey, snapshotKey, versionKey } from './policy-keys.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

/**
 * Bodies up to this size live in the records that name them: the read path needs no blob. As
 * counted in a record, which has room for three: there, a quote takes two bytes.
 */
const maxInlineBytes = 100_000;

/**
 * Puts the package's bytes where they stay, and answers where its body is found. One blob put;
 * a second for the body when it is too large for a record. Safe to repeat.
 */
export async function keepPackage(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  accepted: AcceptedPackage,
): Promise<StoredBody> {
  const { rule, bodyDigest: digest } = accepted;
  const json = rule.body;
  const encoder = new TextEncoder();
  await deps.blobs.put({ tenant, digest: accepted.digest }, accepted.bytes);
  if (encoder.encode(JSON.stringify(json)).byteLength <= maxInlineBytes) return { json };
  const body = encoder.encode(json);
  await deps.blobs.put({ tenant, digest }, body);
  return { digest, sizeBytes: body.byteLength };
}

/** The records of a new snapshot: itself, and the names that lead to it. */
export function snapshotWrites(
  tenant: string,
  id: string,
  record: SnapshotRecord,
  body: StoredBody,
): RecordWrite[] {
  const { snapshot, version, digest } = record;
  return [
    { kind: 'put', key: snapshotKey(tenant, id, snapshot), value: record, expect: 'absent' },
    { kind: 'put', key: bodyKey(tenant, id, snapshot), value: body, expect: 'absent' },
    { kind: 'put', key: digestKey(tenant, id, digest), value: { snapshot }, expect: 'absent' },
    {
      kind: 'put',
      key: versionKey(tenant, id, version, snapshot),
      value: { snapshot },
      expect: 'absent',
    },
  ];
}
