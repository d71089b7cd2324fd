import type { JobTurn } from '../../ports/job-queue.ts';
import type { Worker } from './define-worker.ts';
import { jobLimits } from './job-limits.ts';
import type { WorkerTable } from './submit-job.ts';
import { type WorkDeps, workOn } from './work-on.ts';

const waitMs = 20_000;
const maxTurns = 10;
const afterFailureMs = 1000;
/** How long work under way may take to end after `stop`; the rest is done at the next start. */
const graceMs = 3000;
const defaultConcurrency = 10;

/** Works on the jobs of every worker, in one process, until `stop`; then ends within seconds. */
export async function keepWorking(
  deps: WorkDeps,
  workers: WorkerTable,
  stop: AbortSignal,
): Promise<void> {
  await Promise.all([...workers.values()].map((worker) => keepWorkingOn(deps, worker, stop)));
}

async function keepWorkingOn(deps: WorkDeps, worker: Worker, stop: AbortSignal): Promise<void> {
  const crew = new Crew(deps, worker, stop);
  while (!stop.aborted) {
    const free = await crew.untilFree();
    if (stop.aborted) break;
    try {
      const wish = {
        max: Math.min(free, maxTurns),
        hideMs: jobLimits.turnMs,
        waitMs,
        signal: stop,
      };
      for (const turn of await deps.queue.receive(worker.type, wish)) crew.take(turn);
    } catch (error) {
      deps.log.error('no turns', { type: worker.type, error });
      await deps.clock.sleep(afterFailureMs, stop);
    }
  }
  await crew.dismiss();
}

/** The turns of one type that are being worked on, as many at a time as the worker allows. */
class Crew {
  readonly #deps: WorkDeps;
  readonly #worker: Worker;
  readonly #stop: AbortSignal;
  readonly #running = new Set<Promise<void>>();
  readonly #giveUp = new AbortController();
  #changed = Promise.withResolvers<void>();

  constructor(deps: WorkDeps, worker: Worker, stop: AbortSignal) {
    this.#deps = deps;
    this.#worker = worker;
    this.#stop = stop;
    stop.addEventListener('abort', () => this.#changed.resolve(), { once: true });
  }

  /** How many turns may be taken: at least one, unless it is time to stop. */
  async untilFree(): Promise<number> {
    const most = this.#worker.concurrency ?? defaultConcurrency;
    while (this.#running.size >= most && !this.#stop.aborted) {
      this.#changed = Promise.withResolvers<void>();
      await this.#changed.promise;
    }
    return most - this.#running.size;
  }

  take(turn: JobTurn): void {
    const work = this.#work(turn);
    this.#running.add(work);
    void work.finally(() => {
      this.#running.delete(work);
      this.#changed.resolve();
    });
  }

  /** Waits for what is under way, and gives up what takes too long. */
  async dismiss(): Promise<void> {
    const over = new AbortController();
    const all = Promise.all(this.#running).finally(() => over.abort());
    await this.#deps.clock.sleep(graceMs, over.signal);
    this.#giveUp.abort();
    await all;
  }

  async #work(turn: JobTurn): Promise<void> {
    try {
      await workOn(this.#deps, this.#worker, turn, this.#giveUp.signal);
    } catch (error) {
      const { tenant, id } = turn;
      this.#deps.log.error('turn not finished', { tenant, job: id, error });
      await this.#handBack(turn);
    }
  }

  /** So that it does not have to wait until its turn has run out. */
  async #handBack(turn: JobTurn): Promise<void> {
    try {
      await this.#deps.queue.hide(turn, afterFailureMs);
    } catch (error) {
      this.#deps.log.warn('turn not handed back', { tenant: turn.tenant, job: turn.id, error });
    }
  }
}
