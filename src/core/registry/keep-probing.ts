import type { Deps } from '../deps.ts';
import { getRecords, queryRecords } from '../records.ts';
import { type ProbeDeps, probeService } from './probe-service.ts';
import { ProbeSchedule } from './probe-schedule.ts';
import { healthColours } from './service-health.ts';
import { healthKey, type ProbeEntry, probesPartition, type ServiceRef } from './service-keys.ts';

export type KeepProbingDeps = ProbeDeps & Pick<Deps, 'metrics'>;

/** How often services that came or went are looked for. */
const lookEveryMs = 2000;
const page = 1000;
const maxPages = 10;
/** Services that are probed at the same time: with 18 targets each, within 1000 open files. */
const maxAtOnce = 32;
/** And of one tenant, so that one whose services all hang does not take every place. */
const maxOfTenant = 8;
/** Records that are read at once. */
const readAtOnce = 100;

/**
 * Probes the services of all tenants, each in its own time, until `stop`. It sleeps until the next
 * one is due. Those that are there at the start are probed within the first 2 seconds. Tells metrics
 * how many are of each colour, whenever it has looked what there is.
 */
export async function keepProbing(deps: KeepProbingDeps, stop: AbortSignal): Promise<void> {
  await new Prober(deps, stop, Infinity, true).run();
}

/**
 * The same for `forMs`, for where nothing runs on: a function that is started once a minute, and
 * told to go on for a little over a minute, probes each service as often as its interval says. Two
 * that overlap do no harm. The last probe ends 10 s after `forMs` at the latest; with nothing left
 * to do it returns at once. Tells metrics the colours at its end.
 */
export async function probeForAWhile(deps: KeepProbingDeps, forMs: number): Promise<void> {
  const endMs = deps.clock.nowMs() + forMs;
  await new Prober(deps, new AbortController().signal, endMs, false).run();
}

class Prober {
  readonly #deps: KeepProbingDeps;
  readonly #stop: AbortSignal;
  readonly #endMs: number;
  readonly #schedule: ProbeSchedule;
  readonly #running = new Map<Promise<void>, string>();
  #lookAtMs = -Infinity;
  #wake = new AbortController();

  constructor(deps: KeepProbingDeps, stop: AbortSignal, endMs: number, atOnce: boolean) {
    this.#deps = deps;
    this.#stop = stop;
    this.#endMs = endMs;
    this.#schedule = new ProbeSchedule(atOnce);
  }

  async run(): Promise<void> {
    const wake = (): void => this.#wake.abort();
    this.#stop.addEventListener('abort', wake, { once: true });
    try {
      await this.#run();
    } finally {
      this.#stop.removeEventListener('abort', wake);
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.aborted) {
      const nowMs = this.#deps.clock.nowMs();
      if (nowMs >= this.#endMs) break;
      if (nowMs >= this.#lookAtMs) await this.#look(nowMs);
      this.#startDue();
      if (this.#hasNothingLeft()) break;
      await this.#sleep();
    }
    await Promise.all(this.#running.keys());
    if (this.#endMs !== Infinity && this.#schedule.isFilled) await this.#tell();
  }

  /** How many services are of each colour: also those that are not probed as often as it looks. */
  async #tell(): Promise<void> {
    const { log, metrics } = this.#deps;
    const unknown = this.#schedule.unknown();
    try {
      for (let from = 0; from < unknown.length; from += readAtOnce) {
        const refs = unknown.slice(from, from + readAtOnce);
        const keys = refs.map(({ tenant, name }) => healthKey(tenant, name));
        const found = await getRecords(this.#deps, keys);
        // One without a record is new: red, until it has answered.
        refs.forEach((ref, at) => this.#schedule.note(ref, found[at]?.value.status ?? 'red'));
      }
    } catch (error) {
      log.warn('services not counted', { error });
      return;
    }
    for (const colour of healthColours) metrics.servicesSeen(colour, this.#schedule.count(colour));
  }

  /** Where there is an end: nothing is due before it. */
  #hasNothingLeft(): boolean {
    if (this.#endMs === Infinity || !this.#schedule.isFilled) return false;
    return this.#running.size === 0 && this.#schedule.nextMs() >= this.#endMs;
  }

  /** Keeps to what it knows when the store does not answer. */
  async #look(nowMs: number): Promise<void> {
    this.#lookAtMs = nowMs + lookEveryMs;
    try {
      this.#schedule.take(await this.#listed(), nowMs);
    } catch (error) {
      this.#deps.log.error('services to probe not read', { error });
      return;
    }
    if (this.#endMs === Infinity) await this.#tell();
  }

  async #listed(): Promise<ProbeEntry[]> {
    const entries: ProbeEntry[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < maxPages; pages++) {
      const query = { partition: probesPartition, after, limit: page };
      const found = await queryRecords<ProbeEntry>(this.#deps, query);
      entries.push(...found.map(({ value }) => value));
      after = found.at(-1)?.key.sort;
      if (found.length < page) break;
    }
    return entries;
  }

  #startDue(): void {
    const nowMs = this.#deps.clock.nowMs();
    while (this.#running.size < maxAtOnce) {
      const ref = this.#schedule.startNext(nowMs, (tenant) => this.#hasRoomFor(tenant));
      if (ref === undefined) break;
      const work = this.#probe(ref).finally(() => {
        this.#running.delete(work);
        this.#wake.abort();
      });
      this.#running.set(work, ref.tenant);
    }
  }

  #hasRoomFor(tenant: string): boolean {
    let count = 0;
    for (const each of this.#running.values()) if (each === tenant) count += 1;
    return count < maxOfTenant;
  }

  async #probe(ref: ServiceRef): Promise<void> {
    const { clock, log } = this.#deps;
    try {
      const found = await probeService(this.#deps, ref, this.#stop);
      this.#schedule.end(ref, clock.nowMs(), found);
    } catch (error) {
      log.warn('probe not recorded', { tenant: ref.tenant, service: ref.name, error });
      this.#schedule.end(ref, clock.nowMs(), undefined);
    }
  }

  /** Until something is due, or one that runs has ended. */
  async #sleep(): Promise<void> {
    this.#wake = new AbortController();
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    // What is due already waits for one that runs.
    const dueMs = this.#schedule.nextMs(nowMs);
    const untilMs = Math.min(dueMs, this.#lookAtMs, this.#endMs);
    if (!this.#stop.aborted) await clock.sleep(untilMs - nowMs, this.#wake.signal);
  }
}
