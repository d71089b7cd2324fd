import { sha256Hex } from '../packages/digest.ts';
import type { ServiceState } from './read-service.ts';
import type { HealthColour } from './service-health.ts';
import { type ProbeEntry, probeKey, type ServiceRef } from './service-keys.ts';

/** While it is not settled whether a target is up, it is probed so often. */
const turningMs = 2000;
/** A new target that is not up yet is probed so often for as long: it may be about to start. */
const startingMs = 60_000;
/** The part of an interval by which a probe may be late, at random. */
const jitter = 0.1;

interface Scheduled {
  readonly ref: ServiceRef;
  readonly intervalMs: number;
  nextMs: number;
  isRunning: boolean;
  /** Undefined until it is known. */
  status: HealthColour | undefined;
}

/**
 * When each service is to be probed next. Each has a moment of its own in its interval, which its
 * name alone decides: so probes are spread, and whoever takes over goes on in the same rhythm.
 */
export class ProbeSchedule {
  readonly #entries = new Map<string, Scheduled>();
  readonly #atOnce: boolean;
  #isFilled = false;

  /** `atOnce`: whether those that are there at the start wait for their moment. */
  constructor(atOnce: boolean) {
    this.#atOnce = atOnce;
  }

  /** Whether it has been told what there is to probe. */
  get isFilled(): boolean {
    return this.#isFilled;
  }

  /** Takes over what is to be probed from now on. */
  take(listed: readonly ProbeEntry[], nowMs: number): void {
    const gone = new Set(this.#entries.keys());
    for (const entry of listed) {
      const key = keyOf(entry);
      gone.delete(key);
      const intervalMs = entry.intervalS * 1000;
      const held = this.#entries.get(key);
      if (held?.intervalMs === intervalMs) continue;
      const { tenant, name } = entry;
      const nextMs = this.#firstMs(key, intervalMs, nowMs);
      const { isRunning = false, status } = held ?? {};
      this.#entries.set(key, { ref: { tenant, name }, intervalMs, nextMs, isRunning, status });
    }
    for (const key of gone) this.#entries.delete(key);
    this.#isFilled = true;
  }

  #firstMs(key: string, intervalMs: number, nowMs: number): number {
    // Who comes later is new: nobody knows how it is.
    if (this.#isFilled) return nowMs;
    return this.#atOnce ? nowMs + phaseOf(key, turningMs) : slotFrom(key, intervalMs, nowMs);
  }

  /** Of those that are due, and whose tenant has room, the one that has waited longest. */
  startNext(nowMs: number, hasRoomFor: (tenant: string) => boolean): ServiceRef | undefined {
    let next: Scheduled | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.isRunning || entry.nextMs > nowMs) continue;
      if (next !== undefined && next.nextMs <= entry.nextMs) continue;
      if (hasRoomFor(entry.ref.tenant)) next = entry;
    }
    if (next === undefined) return undefined;
    next.isRunning = true;
    return next.ref;
  }

  /** It has been probed; undefined: to no avail. */
  end(ref: ServiceRef, nowMs: number, found: ServiceState | undefined): void {
    const key = keyOf(ref);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.isRunning = false;
    entry.status = found?.health.status ?? entry.status;
    const { intervalMs } = entry;
    const slotMs = slotFrom(key, intervalMs, nowMs + 1) + Math.random() * jitter * intervalMs;
    const isUrgent = found !== undefined && isTurning(found, nowMs);
    entry.nextMs = Math.ceil(isUrgent ? Math.min(slotMs, nowMs + turningMs) : slotMs);
  }

  /** How a service is that it has not seen itself. */
  note(ref: ServiceRef, status: HealthColour): void {
    const entry = this.#entries.get(keyOf(ref));
    if (entry !== undefined) entry.status ??= status;
  }

  /** Those of which nobody has told how they are. */
  unknown(): ServiceRef[] {
    return [...this.#entries.values()].flatMap(({ status, ref }) =>
      status === undefined ? [ref] : [],
    );
  }

  /** How many are so. */
  count(status: HealthColour): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.status === status) count += 1;
    return count;
  }

  /** When the next one after a time is due; Infinity for none. */
  nextMs(afterMs: number = -Infinity): number {
    let nextMs = Infinity;
    for (const entry of this.#entries.values()) {
      if (!entry.isRunning && entry.nextMs > afterMs) nextMs = Math.min(nextMs, entry.nextMs);
    }
    return nextMs;
  }
}

function isTurning({ record, health }: ServiceState, nowMs: number): boolean {
  const isStarting = nowMs - Date.parse(record.changedAt) < startingMs;
  return health.targets.some(({ against, proven }) => against > 0 || (isStarting && !proven));
}

function keyOf(ref: ServiceRef): string {
  return probeKey(ref).sort;
}

/** Its next moment, at `fromMs` or later. */
function slotFrom(key: string, intervalMs: number, fromMs: number): number {
  const since = fromMs - phaseOf(key, intervalMs);
  return fromMs + ((intervalMs - (since % intervalMs)) % intervalMs);
}

function phaseOf(key: string, withinMs: number): number {
  const hash = sha256Hex(new TextEncoder().encode(key));
  return Number.parseInt(hash.slice(0, 8), 16) % withinMs;
}
