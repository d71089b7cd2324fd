import { ascending, quantile } from './statistics.ts';

/** How often something was done, and how long it took. */
export interface Work {
  readonly count: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Does something over and over for a time, by several workers at once. */
export async function runFor(
  seconds: number,
  workers: number,
  once: (worker: number, count: number) => Promise<void>,
): Promise<Work> {
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  const endsAtMs = startedMs + seconds * 1000;
  const work = async (worker: number) => {
    for (let count = 0; performance.now() < endsAtMs; count++) {
      const beganMs = performance.now();
      await once(worker, count);
      latenciesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  const tookSeconds = (performance.now() - startedMs) / 1000;
  latenciesMs.sort(ascending);
  return {
    count: latenciesMs.length,
    seconds: tookSeconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}
