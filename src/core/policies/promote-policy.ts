import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { Channel } from './channel.ts';
import type { Lane } from './channel-record.ts';
import { type ForwardHold, forwardHold } from './forward-hold.ts';
import { placeRule } from './move-channel.ts';
import { type Movement, moveLane, readLane, unmoved } from './movement.ts';
import { placeBody } from './place-body.ts';
import { channelKey } from './policy-keys.ts';
import { requireInForce, type SnapshotGuard } from './snapshot-guard.ts';

export interface Promotion {
  readonly from: Channel;
  readonly to: Lane;
  readonly guard: SnapshotGuard | null;
  readonly reason: string | null;
}

export interface HeldPromotion extends ForwardHold {
  readonly snapshot: string;
}

type PromoteDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

/**
 * Puts the newest rule of one channel in force in another: at once, or, when it waits for its
 * effective time, from that time on. `held`: the channel does not take it this way, and nothing is
 * written; `snapshot` is what it would have been.
 */
export async function promotePolicy(
  deps: PromoteDeps,
  origin: Origin,
  promotion: Promotion,
): Promise<Movement | HeldPromotion> {
  return commit(deps, origin, () => decide(deps, promotion));
}

async function decide(
  deps: PromoteDeps,
  promotion: Promotion,
): Promise<Decision<Movement | HeldPromotion>> {
  const { from, to, guard, reason } = promotion;
  const fromKey = channelKey(to.tenant, to.id, from);
  const records = await readLane(deps, to, fromKey);
  const nowMs = deps.clock.nowMs();
  const source = records.also?.value;
  const subject = source?.next ?? source?.current;
  if (subject === undefined || subject === null) {
    throw new NotFound(`There is no policy "${to.id}" in ${from}.`);
  }
  const record = records.channel?.value;
  const newest = record?.next ?? record?.current;
  if (record !== undefined && newest?.digest === subject.digest) {
    return unmoved(to, record, newest, nowMs);
  }
  requireInForce(guard, record, nowMs);
  const hold = forwardHold(records, nowMs);
  if (hold !== null) return { kind: 'unchanged', result: { ...hold, snapshot: subject.snapshot } };
  const effectiveAtMs = source?.next?.effectiveAtMs ?? null;
  return moveLane(
    {
      lane: to,
      records,
      after: placeRule(record, placeBody(subject, subject.body), effectiveAtMs, nowMs),
      subject,
      action: 'policy.promoted',
      status: 'promoted',
      reason,
      nowMs,
    },
    // Else a change of it during this commit would go unseen.
    [{ kind: 'check', key: fromKey, expect: records.also?.rev ?? 'absent' }],
  );
}
