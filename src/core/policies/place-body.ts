import { textDigest } from '../packages/digest.ts';
import type { PlacedRule, SnapshotRef, StoredBody } from './channel-record.ts';
import { refOf } from './move-channel.ts';

/** A snapshot with its stored body, and with the digest of that, whatever the reference lacked. */
export function placeBody(ref: SnapshotRef, body: StoredBody): Required<PlacedRule> {
  const bodyDigest = 'json' in body ? textDigest(body.json) : body.digest;
  return { ...refOf(ref), bodyDigest, body };
}
