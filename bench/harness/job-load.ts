import { ascending, quantile } from './statistics.ts';

/** What one round does. */
export interface JobRound {
  /** A new one, on the disk that is measured. */
  readonly folder: string;
  readonly jobs: number;
  /** Producers that wait for each job to be stored, and jobs that are worked on at once. */
  readonly concurrency: number;
  /** One job after so many ms; null: as fast as they are taken. */
  readonly everyMs: number | null;
}

export interface JobWork {
  readonly jobs: number;
  /** Until the last job had ended, durably. */
  readonly seconds: number;
  /** From before a job is handed over until it has ended. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuSeconds: number;
}

/** A queue under load. */
export interface LoadedQueue {
  /** Resolves when the job is stored, durably. */
  enqueue(data: string): Promise<void>;
  /** Works on jobs until `stop`, and says of each when it has ended, durably. */
  work(ended: (data: string) => void, stop: AbortSignal): Promise<void>;
}

/** Enqueues and processes at the same time. Throws when a job ends twice. */
export async function runJobs(
  { jobs, concurrency, everyMs }: JobRound,
  queue: LoadedQueue,
): Promise<JobWork> {
  const beganMs = new Float64Array(jobs);
  const tookMs = new Float64Array(jobs);
  const stop = new AbortController();
  const all = Promise.withResolvers<void>();
  let endedCount = 0;
  const ended = (data: string): void => {
    const place = Number(data);
    if (tookMs[place] !== 0) all.reject(new Error(`job ${place} ended twice`));
    tookMs[place] = performance.now() - (beganMs[place] ?? 0);
    endedCount += 1;
    if (endedCount === jobs) all.resolve();
  };
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const working = queue.work(ended, stop.signal);
  let next = 0;
  const produce = async (): Promise<void> => {
    while (next < jobs) {
      const place = next++;
      if (everyMs !== null) await until(startedMs + place * everyMs);
      beganMs[place] = performance.now();
      await queue.enqueue(String(place));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, produce));
  await all.promise;
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  stop.abort();
  await working;
  tookMs.sort(ascending);
  return {
    jobs,
    seconds,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    cpuSeconds: (user + system) / 1e6,
  };
}

async function until(timeMs: number): Promise<void> {
  const leftMs = timeMs - performance.now();
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
}
