import type { Deps } from '../deps.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { CanaryPlan } from '../policies/canary-plan.ts';
import type { HeldPromotion } from '../policies/promote-policy.ts';
import { type Promotion, promotePolicy } from '../policies/promote-policy.ts';
import { type Publication, publishPolicy } from '../policies/publish-policy.ts';
import type { Movement } from '../policies/movement.ts';
import { storeSnapshot } from '../policies/store-snapshot.ts';
import { type CreatedRun, createRun } from './create-run.ts';

type StageDeps = Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal' | 'workflows' | 'log'>;

/** The rule did not go into force: a run takes it there. */
export interface Staged extends CreatedRun {
  readonly id: string;
  readonly snapshot: string;
}

/**
 * Publishes a rule, or, where it is asked for or the channel does not take it otherwise, stores
 * it and queues a run for it.
 */
export async function publishOrStage(
  deps: StageDeps,
  origin: Origin,
  publication: Publication,
  staged: boolean,
): Promise<Movement | Staged> {
  const published = await publishPolicy(deps, origin, { ...publication, staged });
  if (published.status !== 'held') return published;
  const { lane, upload, reason } = publication;
  const { record } = await storeSnapshot(deps, origin, lane.id, upload, reason);
  const canary = published.by === 'staged' ? undefined : null;
  return stage(deps, origin, publication, record.snapshot, canary);
}

/** The same for a rule that is promoted from another channel. */
export async function promoteOrStage(
  deps: StageDeps,
  origin: Origin,
  promotion: Promotion,
): Promise<Movement | Staged> {
  const promoted: Movement | HeldPromotion = await promotePolicy(deps, origin, promotion);
  if (promoted.status !== 'held') return promoted;
  const { to: lane, reason } = promotion;
  const canary = promoted.by === 'staged' ? undefined : null;
  return stage(deps, origin, { lane, reason }, promoted.snapshot, canary);
}

async function stage(
  deps: StageDeps,
  origin: Origin,
  { lane, reason }: Pick<Publication, 'lane' | 'reason'>,
  snapshot: string,
  canary: CanaryPlan | null | undefined,
): Promise<Staged> {
  const created = await createRun(deps, origin, {
    policies: [{ id: lane.id, snapshot }],
    channel: lane.channel,
    canary,
    partners: [],
    approvals: 0,
    hotfix: false,
    reason,
  });
  return { id: lane.id, snapshot, ...created };
}
