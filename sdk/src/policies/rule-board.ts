import type { PolicyChanged } from './client-events.ts';

/** A rule in force. */
export interface PlacedRule {
  readonly snapshot: string;
  readonly version: string;
  /** Frozen. */
  readonly value: object;
}

/** A rule that may come to be in force. */
export interface OtherRule {
  readonly snapshot: string;
  readonly version: string;
  /** Undefined while it is not at hand: then it cannot come to be in force. */
  readonly value: object | undefined;
}

/** Says that `current` is a candidate on trial. */
export interface Trial {
  readonly run: number;
  /** Without word from the service for so long it is over. */
  readonly holdsMs: number;
  /** What follows then; null for no rule at all. */
  readonly stable: OtherRule | null;
}

/** A policy, as this process runs it. */
export interface BoardEntry {
  readonly id: string;
  readonly gen: number;
  /** Null before the first rule. */
  readonly current: PlacedRule | null;
  /** What takes effect by itself. */
  readonly next: (OtherRule & { readonly effectiveAtMs: number }) | null;
  readonly trial: Trial | null;
}

/** What is in force in this process: which rule, since when, and what comes next. */
export class RuleBoard {
  /** The rules for which the clock need not be asked: what a hot path reads. */
  readonly settled = new Map<string, object>();
  readonly #entries = new Map<string, BoardEntry>();
  /** Those of which something depends on the time. */
  readonly #timed = new Set<string>();
  readonly #settles: boolean;
  #heardAtMs = -Infinity;

  /** `settles`: false when each read asks the clock, and `settled` is to stay empty. */
  constructor(settles: boolean) {
    this.#settles = settles;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<BoardEntry> {
    return this.#entries.values();
  }

  get(id: string): BoardEntry | undefined {
    return this.#entries.get(id);
  }

  /** When there was word from the service: what is on trial holds from then on. */
  hear(atMs: number): void {
    this.#heardAtMs = atMs;
  }

  /** The rule in force, to the millisecond, whether or not `tick` has been called since. */
  inForce(id: string, nowMs: number): PlacedRule | null {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : this.#at(entry, nowMs).current;
  }

  /** Replaces entries, all of them at once, and answers what is in force that was not. */
  put(entries: readonly BoardEntry[], nowMs: number): PolicyChanged[] {
    const before = entries.map(({ id }) => this.inForce(id, nowMs));
    for (const entry of entries) this.#place(this.#at(entry, nowMs));
    return entries.flatMap(({ id }, at) =>
      changed(id, before[at] ?? null, this.inForce(id, nowMs), 'updated'),
    );
  }

  /** Makes it so what the time has brought, and answers it. */
  tick(nowMs: number): PolicyChanged[] {
    return Array.from(this.#timed).flatMap((id) => {
      const entry = this.#entries.get(id);
      const now = entry && this.#at(entry, nowMs);
      if (entry === undefined || now === undefined || now === entry) return [];
      this.#place(now);
      const reason = entry.trial !== null && now.trial === null ? 'lapsed' : 'effective';
      return changed(id, entry.current, now.current, reason);
    });
  }

  /** When something is due; `Infinity` when nothing is. What is not at hand is never due. */
  nextDueMs(): number {
    let firstMs = Infinity;
    for (const { next, trial } of this.#timedEntries()) {
      if (next?.value !== undefined) firstMs = Math.min(firstMs, next.effectiveAtMs);
      if (trial !== null && isAtHand(trial.stable)) {
        firstMs = Math.min(firstMs, this.#heardAtMs + trial.holdsMs);
      }
    }
    return firstMs;
  }

  /** The shortest time that something on trial holds; `Infinity` when nothing is. */
  leastHoldMs(): number {
    let leastMs = Infinity;
    for (const { trial } of this.#timedEntries()) {
      leastMs = Math.min(leastMs, trial?.holdsMs ?? Infinity);
    }
    return leastMs;
  }

  *#timedEntries(): Iterable<BoardEntry> {
    for (const id of this.#timed) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) yield entry;
    }
  }

  /** What an entry is at a time; the same one when that makes no difference. */
  #at(entry: BoardEntry, nowMs: number): BoardEntry {
    const { next, trial } = entry;
    if (next?.value !== undefined && next.effectiveAtMs <= nowMs) {
      const rule = { snapshot: next.snapshot, version: next.version, value: next.value };
      // For everyone else, that is, while something is on trial here.
      const change = trial === null ? { current: rule } : { trial: { ...trial, stable: rule } };
      return this.#at({ ...entry, ...change, next: null }, nowMs);
    }
    const isOver = trial !== null && nowMs >= this.#heardAtMs + trial.holdsMs;
    return isOver ? withoutTrial(entry) : entry;
  }

  #place(entry: BoardEntry): void {
    const { id, current, next, trial } = entry;
    this.#entries.set(id, entry);
    const isTimed = next !== null || trial !== null;
    if (isTimed) this.#timed.add(id);
    else this.#timed.delete(id);
    if (this.#settles && !isTimed && current !== null) this.settled.set(id, current.value);
    else this.settled.delete(id);
  }
}

/** What everyone else has; the same entry when that is not at hand, or nothing is on trial. */
export function withoutTrial(entry: BoardEntry): BoardEntry {
  const { trial } = entry;
  if (trial === null || !isAtHand(trial.stable)) return entry;
  return { ...entry, current: trial.stable, trial: null };
}

function isAtHand(rule: OtherRule | null): rule is PlacedRule | null {
  return rule === null || rule.value !== undefined;
}

function changed(
  id: string,
  before: PlacedRule | null,
  now: PlacedRule | null,
  reason: 'updated' | 'effective' | 'lapsed',
): PolicyChanged[] {
  if (before?.snapshot === now?.snapshot) return [];
  return [
    {
      id,
      snapshot: now?.snapshot ?? null,
      version: now?.version ?? null,
      previous: before?.snapshot ?? null,
      reason: now === null ? 'withdrawn' : reason,
    },
  ];
}
