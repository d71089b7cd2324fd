import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import type { NoticedPolicy, NoticeKind } from '../partners/delivery.ts';
import { deliveryWrites } from '../partners/delivery-writes.ts';
import { digestHex } from '../packages/digest.ts';
import type { ChangedLane } from '../policies/timeline-entry.ts';
import type { RunLaneChange } from './lane-moves.ts';
import type { Situation } from './read-situation.ts';

/** What makes partners hear of what a run has done to its lanes, in the same commit. */
export function noticeWrites(
  deps: Pick<Deps, 'ids' | 'clock'>,
  { ref, stored }: Situation,
  changes: readonly RunLaneChange[],
  kind: NoticeKind,
  partners: readonly string[],
): RecordWrite[] {
  const { run, channel, reason } = stored.value;
  const policies = changes.map(({ id, changed }) => noticedPolicy(id, changed));
  const at = new Date(deps.clock.nowMs()).toISOString();
  const { tenant } = ref;
  return deliveryWrites(deps, { tenant, run, kind, channel, policies, partners, reason, at });
}

/** A lane as its notices tell of it. */
export function noticedPolicy(id: string, lane: ChangedLane): NoticedPolicy {
  const { snapshot, version, gen } = lane;
  return { id, snapshot, version, digest: digestHex(lane.digest), gen };
}
