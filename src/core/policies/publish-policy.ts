import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { type AcceptedPackage, acceptPackage, type Upload } from './accept-package.ts';
import type { Lane, StoredBody } from './channel-record.ts';
import { type ForwardHold, forwardHold, heldForRollout } from './forward-hold.ts';
import { requireInForce, type SnapshotGuard } from './snapshot-guard.ts';
import { keepPackage, snapshotWrites } from './keep-package.ts';
import { placeRule } from './move-channel.ts';
import { type Movement, moveLane, readLane, unmoved } from './movement.ts';
import { digestKey } from './policy-keys.ts';
import { placeSnapshot } from './read-rule.ts';
import { newSnapshot } from './snapshot-record.ts';

export interface Publication {
  readonly lane: Lane;
  readonly upload: Upload;
  readonly guard: SnapshotGuard | null;
  readonly reason: string | null;
  /** Whether it is to go into force by a rollout, even where it need not. */
  readonly staged?: boolean;
}

/**
 * Stores a package and puts its rule in force in a channel, at once or at its effective time.
 * The same bytes as the newest of the channel: `unchanged`, and nothing is written. `held`: the
 * channel does not take it this way, and nothing is written either.
 * Costs one blob put when the package is new, and one transaction.
 */
export async function publishPolicy(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  publication: Publication,
): Promise<Movement | ForwardHold> {
  const accepted = await acceptPackage(publication.lane.id, publication.upload);
  let kept: Promise<StoredBody> | undefined;
  const keep = () => (kept ??= keepPackage(deps, origin.tenant, accepted));
  return commit(deps, origin, () => decide(deps, origin, publication, accepted, keep));
}

async function decide(
  deps: Pick<Deps, 'records' | 'clock'>,
  origin: Origin,
  { lane, guard, reason, staged = false }: Publication,
  accepted: AcceptedPackage,
  keep: () => Promise<StoredBody>,
): Promise<Decision<Movement | ForwardHold>> {
  const key = digestKey(lane.tenant, lane.id, accepted.digest);
  const records = await readLane(deps, lane, key);
  const nowMs = deps.clock.nowMs();
  const record = records.channel?.value;
  const newest = record?.next ?? record?.current;
  if (record !== undefined && newest?.digest === accepted.digest) {
    return unmoved(lane, record, newest, nowMs);
  }
  // After that: who repeats a guarded call whose answer was lost finds it done (RFC 9110, 13.1.1).
  requireInForce(guard, record, nowMs);
  const hold = staged ? heldForRollout : forwardHold(records, nowMs);
  if (hold !== null) return { kind: 'unchanged', result: hold };
  const snapshot = newSnapshot(accepted, origin.actor, nowMs);
  const { version, digest } = snapshot;
  const stored = records.also?.value;
  const subject = { snapshot: stored?.snapshot ?? snapshot.snapshot, version, digest };
  // What is known keeps the body it was stored with, whatever a later parser makes of the bytes.
  const rule =
    stored === undefined
      ? { ...subject, bodyDigest: accepted.bodyDigest, body: await keep() }
      : await placeSnapshot(deps, lane.tenant, lane.id, subject);
  const effectiveAtMs = snapshot.effectiveAt === null ? null : Date.parse(snapshot.effectiveAt);
  return moveLane(
    {
      lane,
      records,
      after: placeRule(record, rule, effectiveAtMs, nowMs),
      subject,
      action: 'policy.published',
      status: 'stored',
      reason,
      nowMs,
    },
    stored === undefined ? snapshotWrites(lane.tenant, lane.id, snapshot, rule.body) : [],
  );
}
