import { checkTasks } from '../../src/adapters/runtime/push-limits.ts';
import type { PushQueue, PushTask } from '../../src/ports/push-queue.ts';

export interface MemoryPushQueue extends PushQueue {
  /** Up to ten tasks, of shards of which none is under way; they are until `settle`. */
  readonly take: () => PushTask[];
  /** Takes these off the queue, but for those that failed: they are handed out again. */
  readonly settle: (taken: readonly PushTask[], failed?: readonly PushTask[]) => void;
}

/** The in-memory fake of the PushQueue. It drops what was sent before by its id, for ever. */
export function memoryPushQueue(): MemoryPushQueue {
  const waiting: PushTask[] = [];
  const seen = new Set<string>();
  const underWay = new Set<PushTask>();
  const shardOf = ({ tenant, shard }: PushTask) => `${tenant}/${shard}`;
  return {
    async send(tasks) {
      checkTasks(tasks);
      for (const task of tasks) {
        const name = `${shardOf(task)}/${task.id}`;
        if (!seen.has(name)) waiting.push({ ...task });
        seen.add(name);
      }
    },
    take() {
      const busy = new Set([...underWay].map(shardOf));
      const taken = waiting.filter((task) => !busy.has(shardOf(task))).slice(0, 10);
      for (const task of taken) underWay.add(task);
      return taken;
    },
    settle(taken, failed = []) {
      for (const task of taken) {
        underWay.delete(task);
        if (!failed.includes(task)) waiting.splice(waiting.indexOf(task), 1);
      }
    },
  };
}
