import type { PushTask } from '../../ports/push-queue.ts';
import { joinSubscription } from './join-subscription.ts';
import type { PushDeps } from './push-deps.ts';
import { shardPartition } from './push-keys.ts';
import { pushLog } from './push-log.ts';

/**
 * Does tasks as a queue hands them out, those of different shards at the same time, and answers those
 * that failed: all of a shard, or none. They may be done again. Never rejects.
 */
export async function doPushTasks<Task extends PushTask>(
  deps: PushDeps,
  tasks: readonly Task[],
): Promise<readonly Task[]> {
  const ofShards = [...Map.groupBy(tasks, shardPartition).values()];
  const outcomes = await Promise.allSettled(ofShards.map((ofShard) => doShard(deps, ofShard)));
  return outcomes.flatMap((outcome, at) => {
    if (outcome.status === 'fulfilled') return [];
    const failed = ofShards[at] ?? [];
    const { tenant, shard } = failed[0] ?? {};
    deps.log.error('push failed', { tenant, shard, tasks: failed.length, error: outcome.reason });
    return failed;
  });
}

/** Tasks of one shard: what they ask for several times is done once. */
async function doShard(deps: PushDeps, tasks: readonly PushTask[]): Promise<void> {
  const [{ tenant, shard } = { tenant: '', shard: 0 }] = tasks;
  const again: PushTask[] = [];
  const next = () => ({ tenant, shard, id: deps.ids.next() });
  const logs = new Set(tasks.flatMap((task) => (task.kind === 'grown' ? [task.log] : [])));
  const joins = new Map(
    tasks.flatMap((task) =>
      task.kind === 'joined' ? [[`${task.connection} ${task.subscription}`, task]] : [],
    ),
  );
  for (const { connection, subscription } of joins.values()) {
    const joined = await joinSubscription(deps, { tenant, shard, connection }, subscription);
    for (const log of joined.logs) logs.add(log);
    if (joined.hasMore) again.push({ ...next(), kind: 'joined', connection, subscription });
  }
  for (const log of logs) {
    if ((await pushLog(deps, { tenant, shard }, log)) === 'more') {
      again.push({ ...next(), kind: 'grown', log });
    }
  }
  if (again.length > 0) await deps.pushQueue.send(again);
}
