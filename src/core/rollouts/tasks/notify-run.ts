import type { Deps } from '../../deps.ts';
import { deliverRun } from '../../partners/deliver-due.ts';
import { listDeliveries } from '../../partners/deliveries.ts';
import type { Delivery } from '../../partners/delivery.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { requireRun, type Situation } from '../read-situation.ts';
import type { Paced, RunRef } from '../rollout-tasks.ts';
import { withStages } from '../stages.ts';

type NotifyDeps = RunDeps & Pick<Deps, 'secrets' | 'partners' | 'log'>;
type Notified = Paced<'waiting' | 'notified' | 'ended'>;

/** A process looks again at least so often: what is under way may end, or be taken back. */
const maxWaitSeconds = 3600;

/** Tells the partners of a release, and ends the run when each has been told or given up. */
export async function notifyPartners(deps: NotifyDeps, ref: RunRef): Promise<Notified> {
  const { value: run } = await requireRun(deps, ref);
  if (run.status === 'succeeded') return { status: 'notified', waitSeconds: 1 };
  if (run.status !== 'notifying') return { status: 'ended', waitSeconds: 1 };
  const origin = serviceOrigin(deps, ref);
  await changeRun(deps, origin, ref, async (now) => begin(deps, now));
  const { open, nextAttemptAtMs } = await deliverRun(deps, ref.tenant, ref.run);
  if (open > 0 && nextAttemptAtMs !== null) {
    const waitMs = nextAttemptAtMs - deps.clock.nowMs();
    const waitSeconds = Math.min(maxWaitSeconds, Math.max(1, Math.ceil(waitMs / 1000)));
    return { status: 'waiting', waitSeconds };
  }
  const deliveries = await listDeliveries(deps, ref.tenant, ref.run);
  return changeRun(deps, origin, ref, async (now) => conclude(deps, now, deliveries));
}

function begin(
  deps: Pick<Deps, 'clock'>,
  now: Situation,
): RunStep<null> | { readonly result: null } {
  const { value: run } = now.stored;
  const stage = run.stages.find(({ name }) => name === 'notify');
  if (run.status !== 'notifying' || stage?.status !== 'pending' || run.partners.length === 0) {
    return { result: null };
  }
  const at = new Date(deps.clock.nowMs()).toISOString();
  const detail = `telling ${run.partners.length}`;
  const stages = withStages(run.stages, at, { name: 'notify', status: 'running', detail });
  return { action: 'run.notifying', run: { ...run, stages }, result: null };
}

function conclude(
  deps: Pick<Deps, 'clock'>,
  now: Situation,
  deliveries: readonly Delivery[],
): RunStep<Notified> | { readonly result: Notified } {
  const { value: run } = now.stored;
  if (run.status !== 'notifying') {
    const status = run.status === 'succeeded' ? 'notified' : 'ended';
    return { result: { status, waitSeconds: 1 } };
  }
  const at = new Date(deps.clock.nowMs()).toISOString();
  const stage =
    deliveries.length === 0
      ? ({ name: 'notify', status: 'skipped', detail: 'no partners' } as const)
      : ({ name: 'notify', status: 'passed', detail: summaryOf(deliveries) } as const);
  const stages = withStages(run.stages, at, stage);
  return {
    action: 'run.ended',
    run: { ...run, status: 'succeeded', outcome: 'In force for everyone.', endedAt: at, stages },
    result: { status: 'notified', waitSeconds: 1 },
  };
}

/** Such as `6 sent` or `4 sent, 1 exhausted, 1 gone`. */
function summaryOf(deliveries: readonly Delivery[]): string {
  const told = (status: Delivery['status']) => status === 'delivered' || status === 'acked';
  const counts = new Map<string, number>();
  for (const { status } of deliveries) {
    const name = told(status) ? 'sent' : status;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}
