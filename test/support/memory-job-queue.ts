import { jobPriorities } from '../../src/core/jobs/job-record.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { JobQueue, JobTurn, QueuedJob, TurnWish } from '../../src/ports/job-queue.ts';
import { checkHideMs, checkJobs, checkWish } from '../../src/adapters/runtime/job-queue-limits.ts';

interface Entry {
  readonly job: QueuedJob;
  visibleAtMs: number;
  /** Of its latest turn; null before the first. */
  receipt: string | null;
}

/** The in-memory fake of the JobQueue, for jobs of any type. */
export function memoryJobQueue(clock: Clock): JobQueue {
  return new MemoryJobQueue(clock);
}

class MemoryJobQueue implements JobQueue {
  readonly #clock: Clock;
  /** In the order of arrival. */
  readonly #entries = new Set<Entry>();
  readonly #wakeUps = new Set<AbortController>();
  /** The number of the turn that each tenant had last. */
  readonly #lastTurns = new Map<string, number>();
  #turns = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async send(jobs: readonly QueuedJob[]): Promise<void> {
    checkJobs(jobs);
    for (const job of jobs) {
      const isWaiting = [...this.#entries].some(
        (entry) =>
          entry.receipt === null && entry.job.tenant === job.tenant && entry.job.id === job.id,
      );
      if (!isWaiting) {
        this.#entries.add({ job: { ...job }, visibleAtMs: job.notBeforeMs, receipt: null });
      }
    }
    this.#wake();
  }

  async receive(type: string, wish: TurnWish): Promise<JobTurn[]> {
    checkWish(wish);
    const endMs = this.#clock.nowMs() + wish.waitMs;
    for (;;) {
      if (wish.signal?.aborted === true) return [];
      const turns = this.#take(type, wish);
      const nowMs = this.#clock.nowMs();
      if (turns.length > 0 || nowMs >= endMs) return turns;
      const next = this.#ofType(type).map(({ visibleAtMs }) => visibleAtMs);
      await this.#sleep(Math.min(endMs, ...next) - nowMs, wish.signal);
    }
  }

  async hide({ receipt }: JobTurn, ms: number): Promise<'hidden' | 'gone'> {
    checkHideMs(ms);
    const entry = this.#find(receipt);
    if (entry === undefined) return 'gone';
    entry.visibleAtMs = this.#clock.nowMs() + ms;
    this.#wake();
    return 'hidden';
  }

  async remove({ receipt }: JobTurn): Promise<void> {
    const entry = this.#find(receipt);
    if (entry !== undefined) this.#entries.delete(entry);
  }

  #take(type: string, { max, hideMs }: TurnWish): JobTurn[] {
    const turns: JobTurn[] = [];
    for (let entry; turns.length < max && (entry = this.#next(type)) !== undefined;) {
      const { tenant, id } = entry.job;
      this.#turns++;
      this.#lastTurns.set(tenant, this.#turns);
      entry.receipt = `turn-${this.#turns}`;
      entry.visibleAtMs = this.#clock.nowMs() + hideMs;
      turns.push({ tenant, type, id, receipt: entry.receipt });
    }
    return turns;
  }

  #next(type: string): Entry | undefined {
    const nowMs = this.#clock.nowMs();
    const rank = ({ job }: Entry): number => jobPriorities.indexOf(job.priority);
    const lastTurn = ({ job }: Entry): number => this.#lastTurns.get(job.tenant) ?? 0;
    return this.#ofType(type)
      .filter(({ visibleAtMs }) => visibleAtMs <= nowMs)
      .toSorted(
        (a, b) => rank(a) - rank(b) || lastTurn(a) - lastTurn(b) || a.visibleAtMs - b.visibleAtMs,
      )[0];
  }

  #ofType(type: string): Entry[] {
    return [...this.#entries].filter(({ job }) => job.type === type);
  }

  #find(receipt: string): Entry | undefined {
    return [...this.#entries].find((entry) => entry.receipt === receipt);
  }

  #wake(): void {
    for (const wakeUp of this.#wakeUps) wakeUp.abort();
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const wakeUp = new AbortController();
    this.#wakeUps.add(wakeUp);
    await this.#clock.sleep(ms, AbortSignal.any([wakeUp.signal, ...(signal ? [signal] : [])]));
    this.#wakeUps.delete(wakeUp);
  }
}
