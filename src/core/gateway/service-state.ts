import { LRUCache } from 'lru-cache';
import type { StoredRecord } from '../../ports/record-store.ts';
import { queryRecords } from '../records.ts';
import type { ServiceRef } from '../registry/service-keys.ts';
import { type ServiceManifest, type ServiceTarget, targetsOf } from '../registry/service-record.ts';
import { type CircuitRecord, circuitsPartition } from './circuit-record.ts';
import { gatewayLimits } from './gateway-limits.ts';
import { Ejection, ejectOutlier } from './outliers.ts';
import { RetryBudget } from './retry-budget.ts';
import { type CircuitDeps, SharedCircuit } from './shared-circuit.ts';
import { judgeTarget, type TimedOutcome } from './try-target.ts';

/** How old what a process knows of the circuits of others may be. */
const maxAgeMs = 1000;
/** As many as a service has targets, with those of manifests before. */
const maxCircuits = 100;

/** What a process remembers of a target. */
export class TargetState {
  readonly url: string;
  /** Of the URL: scheme, host and port, and the path before that of a call. */
  readonly origin: string;
  readonly basePath: string;
  readonly circuit: SharedCircuit<TimedOutcome>;
  readonly ejection = new Ejection();
  inFlight = 0;

  constructor(url: string, circuit: SharedCircuit<TimedOutcome>) {
    const { origin, pathname } = new URL(url);
    this.url = url;
    this.origin = origin;
    this.basePath = pathname.replace(/\/$/, '');
    this.circuit = circuit;
  }

  get calls() {
    return this.circuit.calls;
  }
}

/** A target as the manifest has it, and what a process remembers of it. */
export interface KnownTarget extends ServiceTarget {
  readonly state: TargetState;
}

/** What a process remembers of a service and its targets: nothing that it could not do without. */
export class ServiceState {
  readonly budget: RetryBudget;
  readonly #deps: CircuitDeps;
  readonly #ref: ServiceRef;
  #targets: ReadonlyMap<string, TargetState> = new Map();
  #manifest: ServiceManifest | undefined;
  #known: readonly KnownTarget[] = [];
  #readAtMs = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(deps: CircuitDeps, ref: ServiceRef) {
    this.#deps = deps;
    this.#ref = ref;
    this.budget = new RetryBudget(deps.clock.nowMs());
  }

  /** The targets of a manifest; of those that it does not name any more, nothing is kept. */
  targets(manifest: ServiceManifest): readonly KnownTarget[] {
    // Records that are read again are often the same object.
    if (manifest === this.#manifest) return this.#known;
    const known = targetsOf(manifest).map(({ url, role }) => ({
      url,
      role,
      state: this.#targets.get(url) ?? this.#newTarget(url),
    }));
    this.#manifest = manifest;
    this.#known = known;
    this.#targets = new Map(known.map(({ url, state }) => [url, state]));
    return known;
  }

  /** Learns what other processes found, once a second. One query, whoever asks. */
  async refresh(): Promise<void> {
    if (this.#reading === undefined) {
      const ageMs = this.#deps.clock.nowMs() - this.#readAtMs;
      if (ageMs >= 0 && ageMs < maxAgeMs) return;
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    }
    await this.#reading;
  }

  /** Has a look at a target that has just failed: one of several primary ones may be ejected. */
  eject(failed: KnownTarget, up: ReadonlySet<string>): void {
    const { log, clock } = this.#deps;
    if (failed.role !== 'primary') return;
    const replicas = this.#known
      .filter(({ url, role }) => role === 'primary' && up.has(url))
      .map(({ state }) => state)
      .filter(({ circuit }) => circuit.standing() === 'closed');
    const forMs = ejectOutlier(failed.state, replicas, clock.nowMs());
    if (forMs === null) return;
    log.warn('replica ejected', { ...this.#ref, target: failed.url, forMs });
  }

  async #read(): Promise<void> {
    const { clock, log } = this.#deps;
    this.#readAtMs = clock.nowMs();
    const writes = new Map([...this.#targets].map(([url, { circuit }]) => [url, circuit.writes]));
    const query = { partition: circuitsPartition(this.#ref), limit: maxCircuits };
    let found: StoredRecord<CircuitRecord>[];
    try {
      found = await queryRecords<CircuitRecord>(this.#deps, query);
    } catch (error) {
      log.warn('circuits not read', { ...this.#ref, error });
      return;
    }
    const byUrl = new Map(found.map((record) => [record.value.url, record]));
    for (const [url, before] of writes) {
      this.#targets.get(url)?.circuit.learn(byUrl.get(url), before);
    }
  }

  #newTarget(url: string): TargetState {
    // What is known of the others' circuits does not speak of it.
    this.#readAtMs = -Infinity;
    return new TargetState(url, new SharedCircuit(this.#deps, this.#ref, url, judgeTarget));
  }
}

/** The services that a process has to do with. */
export class KnownServices {
  readonly #deps: CircuitDeps;
  readonly #services = new LRUCache<string, ServiceState>({ max: gatewayLimits.maxServices });

  constructor(deps: CircuitDeps) {
    this.#deps = deps;
  }

  get(ref: ServiceRef): ServiceState {
    const id = `${ref.tenant}\n${ref.name}`;
    const known = this.#services.get(id);
    if (known !== undefined) return known;
    const made = new ServiceState(this.#deps, ref);
    this.#services.set(id, made);
    return made;
  }
}
