import { LRUCache } from 'lru-cache';
import type { JobRecord } from './job-record.ts';

/** So many are remembered: ten tenants with a backlog in each queue of each type. */
const maxJobs = 50_000;

/**
 * Which jobs one process has sent again, and when: most of them only wait in a long queue, and are
 * not to be sent each time that somebody looks. Forgetting is harmless.
 */
export class SentAgain {
  readonly #atMs = new LRUCache<string, number>({ max: maxJobs });

  /** Whether that was less than `ms` ago, and nothing became of the job since. */
  isRecent(tenant: string, job: JobRecord, nowMs: number, ms: number): boolean {
    const agoMs = nowMs - (this.#atMs.get(keyOf(tenant, job)) ?? -Infinity);
    // A clock may step back.
    return agoMs >= 0 && agoMs < ms;
  }

  note(tenant: string, jobs: readonly JobRecord[], nowMs: number): void {
    for (const job of jobs) this.#atMs.set(keyOf(tenant, job), nowMs);
  }
}

/** One that has had an attempt since, or was retried, is another. */
function keyOf(tenant: string, { id, attempts, visibleAtMs }: JobRecord): string {
  return `${tenant}/${id}/${attempts}/${visibleAtMs}`;
}
