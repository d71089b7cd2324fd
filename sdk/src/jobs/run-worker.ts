import type { Api } from '../api/api.ts';
import type { CallOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import { retryDelayMs, sleep } from '../api/delays.ts';
import { HmsError, ProblemError } from '../api/errors.ts';
import type { LeasedJob } from '../wire/job.ts';
import { attempt, type AttemptEvent, workerJobOf } from './attempt.ts';
import { AttemptError, type JobWorker, type WorkerJob } from './define-worker.ts';

/** What a worker did. */
export type WorkerEvent =
  | AttemptEvent
  | { readonly kind: 'leased'; readonly job: WorkerJob }
  /** No jobs can be had; it will be tried again. */
  | { readonly kind: 'unreachable'; readonly error: unknown; readonly retryInMs: number };

export interface RunWorkerOptions extends CallOptions {
  /** One for each type of jobs, up to 20. */
  readonly workers: readonly JobWorker[];
  /** How many jobs are worked on at a time; 1 unless given. */
  readonly concurrency?: number;
  /** How long a job stays away when this process dies, 5 to 3600; 60 unless given. */
  readonly leaseSeconds?: number;
  /** How long one call waits for a job, up to 20, which it is unless given. */
  readonly waitSeconds?: number;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Closes it, as `close` does. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunningWorker {
  /**
   * Takes no more jobs, and waits for those at hand: for `graceMs`, 30 000 unless given. Handlers that
   * are not done by then are told to stop, and their jobs are given back as failed attempts. A job
   * that is being handed out at this very moment comes back when its lease ends.
   */
  readonly close: (options?: { readonly graceMs?: number }) => Promise<void>;
  /**
   * Resolves when it is closed and all is done. Errors: `ProblemError` when the service refuses the
   * worker as such, for want of the scope `work:job`, say. Nobody has to listen.
   */
  readonly closed: Promise<void>;
}

const firstDelayMs = 500;
const slackMs = 15_000;
const defaultGraceMs = 30_000;
const giveBackMs = 5000;
const maxLimit = 20;
/** What no time mends. All else is tried again for ever. */
const fatal: ReadonlySet<string> = new Set(['invalid_request', 'forbidden']);

/**
 * Works on jobs until it is closed: leases them, keeps the leases, reports. A service that is down is
 * waited for. Nothing is thrown or rejected later, but as said of `closed`.
 * Errors: `HmsError` for workers of no type, or two of the same.
 */
export function runWorker(options: RunWorkerOptions): RunningWorker {
  const { workers, signal, concurrency = 1 } = options;
  const byType = new Map(workers.map((worker) => [worker.type, worker]));
  if (byType.size === 0 || byType.size < workers.length || !(concurrency >= 1)) {
    throw new HmsError('Name workers, one for each type of jobs, and a concurrency from 1 up.');
  }
  const shop = new Workshop(connect(options.connection), byType, options);
  const closed = shop.run();
  closed.catch(() => undefined);
  const close: RunningWorker['close'] = async ({ graceMs = defaultGraceMs } = {}) => {
    const done = closed.catch(() => undefined);
    await shop.stop(done, graceMs);
    return done;
  };
  signal?.addEventListener('abort', () => void close(), { once: true });
  if (signal?.aborted === true) void close();
  return { close, closed };
}

class Workshop {
  readonly #api: Api;
  readonly #workers: ReadonlyMap<string, JobWorker>;
  readonly #options: RunWorkerOptions;
  readonly #leaseSeconds: number;
  /** Takes no more jobs. */
  readonly #stopping = new AbortController();
  /** Gives back those at hand. */
  readonly #cut = new AbortController();
  /** Gives up all that is under way. */
  readonly #end = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Somebody is free, or it is time to stop. */
  #wake: () => void = () => undefined;

  constructor(api: Api, workers: ReadonlyMap<string, JobWorker>, options: RunWorkerOptions) {
    this.#api = api;
    this.#workers = workers;
    this.#options = options;
    this.#leaseSeconds = options.leaseSeconds ?? 60;
  }

  /** Resolves when it was stopped and all is done. Errors: what no time mends. */
  async run(): Promise<void> {
    try {
      await this.#leaseJobs();
    } finally {
      await Promise.all(this.#running);
      this.#end.abort();
    }
  }

  async stop(done: Promise<void>, graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    const inTime = async (ms: number) =>
      Promise.race([
        done.then(() => true),
        sleep(ms, this.#end.signal).then(
          () => false,
          () => true,
        ),
      ]);
    if (await inTime(graceMs)) return;
    this.#cut.abort(new AttemptError('The worker was stopped.', { code: 'worker_stopped' }));
    if (!(await inTime(giveBackMs))) this.#end.abort();
  }

  async #leaseJobs(): Promise<void> {
    const { signal } = this.#stopping;
    const { concurrency = 1 } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      const free = concurrency - this.#running.size;
      if (free < 1) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      try {
        for (const leased of await this.#lease(free)) this.#start(leased);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ProblemError && fatal.has(error.code)) throw error;
        failures += 1;
        const retryInMs = retryDelayMs(error, failures, firstDelayMs);
        this.#tell({ kind: 'unreachable', error, retryInMs });
        await sleep(retryInMs, signal).catch(() => undefined);
      }
    }
  }

  async #lease(free: number): Promise<readonly LeasedJob[]> {
    const { waitSeconds = 20 } = this.#options;
    const { jobs } = await this.#api.json<{ readonly jobs: readonly LeasedJob[] }>({
      method: 'POST',
      path: '/jobs/lease',
      json: {
        types: [...this.#workers.keys()],
        limit: Math.min(Math.floor(free), maxLimit),
        leaseSeconds: this.#leaseSeconds,
        waitSeconds,
      },
      timeoutMs: waitSeconds * 1000 + slackMs,
      retries: 0,
      signal: this.#stopping.signal,
    });
    return jobs;
  }

  #start(leased: LeasedJob): void {
    const worker = this.#workers.get(leased.type);
    if (worker === undefined) return;
    this.#tell({ kind: 'leased', job: workerJobOf(leased) });
    const doing = this.#work(worker, leased).finally(() => {
      this.#running.delete(doing);
      this.#wake();
    });
    this.#running.add(doing);
  }

  async #work(worker: JobWorker, leased: LeasedJob): Promise<void> {
    const terms = {
      leaseSeconds: this.#leaseSeconds,
      cut: this.#cut.signal,
      end: this.#end.signal,
    };
    this.#tell(await attempt(this.#api, worker, leased, terms));
  }

  #tell(event: WorkerEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // Who watches must not break what is watched.
    }
  }
}
