import type { Api } from '../api/api.ts';
import type { ManifestItem, WaitingRule } from '../wire/manifest.ts';
import type { Announcements } from './announcements.ts';
import type { NamedRule } from './check-rule.ts';
import { fetchManifest, type ManifestTerms } from './fetch-manifest.ts';
import { RuleRefused } from './policy-errors.ts';
import { type BoardEntry, type OtherRule, type RuleBoard, withoutTrial } from './rule-board.ts';
import type { RuleBodies, RuleFailure } from './rule-bodies.ts';

export interface SyncTerms extends ManifestTerms {
  /** Only these; all of the channel unless given. */
  readonly only: ReadonlySet<string> | undefined;
}

export interface SyncDeps {
  readonly api: Pick<Api, 'send'>;
  readonly board: RuleBoard;
  readonly bodies: RuleBodies;
  /** Puts entries in force, all of them at once. */
  readonly place: (entries: readonly BoardEntry[]) => void;
  readonly says: Announcements;
  /** A rule cannot be had, or must not be run: the others are put in force without it. */
  readonly onFailure: (failure: RuleFailure) => void;
  /** A rule that could not be had is here by now: another check will put it in force. */
  readonly onMended: () => void;
}

/** Brings what is in force here to what a manifest says. One `check` at a time. */
export class PolicySync {
  readonly #deps: SyncDeps;
  readonly #terms: SyncTerms;
  #etag: string | null = null;
  /** What the last manifest said of the policies that count, where it can be followed. */
  #items: ReadonlyMap<string, ManifestItem> = new Map();
  /** What each was before it last changed: that is where a rollback goes. */
  readonly #previous = new Map<string, NamedRule>();
  /** What the last manifest should not have said. */
  #oddities: ReadonlySet<string> = new Set();
  /** Failures that have been told. */
  readonly #told = new Set<string>();
  /** All that `#items` names is in force, or ready to take effect. */
  #isSettled = true;
  #isRetrying = false;

  constructor(deps: SyncDeps, terms: SyncTerms) {
    this.#deps = deps;
    this.#terms = terms;
  }

  /** The tag of the manifest that is in force; null when it is not, or not all of it. */
  get etag(): string | null {
    return this.isComplete ? this.#etag : null;
  }

  /** All that the last manifest names is in force, or ready to take effect, and it was plausible. */
  get isComplete(): boolean {
    return this.#isSettled && this.#oddities.size === 0;
  }

  /** Begins with what a cache had: nothing is asked for again that it has. */
  resume(etag: string | null): void {
    this.#etag = etag;
  }

  /** What is in force is not any more what the manifest said: the next check will see to it. */
  unsettle(): void {
    this.#isSettled = false;
  }

  /** The generation that the manifest names; 0 when it does not name the policy. */
  genOf(id: string): number {
    return this.#items.get(id)?.gen ?? 0;
  }

  /** The rule that the manifest names for a policy and that is not run. */
  awaited(id: string): NamedRule | null {
    const item = this.#items.get(id);
    const named = item === undefined ? null : currentOf(item);
    const isRun = named?.snapshot === this.#deps.board.get(id)?.current?.snapshot;
    return isRun ? null : named;
  }

  /**
   * Asks the service once, gets the rules that are new, and puts all of them in force together. What
   * cannot be had does not hold back the others for ever (see `RuleBodies.bring`); it is tried again
   * with each later check. Answers whether anything changed.
   * Errors: no manifest could be had, or none of the first rules.
   */
  async check(signal: AbortSignal): Promise<boolean> {
    const { api, board, bodies } = this.#deps;
    const askedAtMs = Date.now();
    const read = await fetchManifest(api, this.#terms, this.#etag, signal);
    board.hear(askedAtMs);
    if (read !== 'unchanged') this.#take(read.items, read.etag);
    if (read === 'unchanged' && this.#isSettled) return false;
    this.#isSettled = false;
    const outstanding = this.#outstanding();
    void this.#retry(outstanding, signal);
    await bodies.bring(outstanding, signal);
    if (signal.aborted) return false;
    const isNew = this.#placeAll();
    this.#tellFailures(outstanding);
    bodies.retain(this.#keptRules());
    this.#failWhenEmpty(outstanding);
    this.#isSettled = this.#outstanding().length === 0;
    return isNew;
  }

  /** Beside all else: what has been given up must not make the rest wait. */
  async #retry(outstanding: readonly NamedRule[], signal: AbortSignal): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    const isMended = await this.#deps.bodies.retry(outstanding, signal);
    this.#isRetrying = false;
    if (isMended && !signal.aborted) this.#deps.onMended();
  }

  #take(items: readonly ManifestItem[], etag: string | null): void {
    const { board } = this.#deps;
    const { only } = this.#terms;
    const named = new Set(items.map(({ id }) => id));
    const expected = only ?? Array.from(board.entries(), ({ id }) => id);
    const absent = Array.from(expected).filter((id) => !named.has(id));
    const counting = only === undefined ? items : items.filter(({ id }) => only.has(id));
    const lowered = counting.filter(({ id, gen }) => gen < (board.get(id)?.gen ?? 0));
    this.#tellOddities(lowered, absent);
    const taken = new Map(counting.map((item) => [item.id, item]));
    for (const { id } of lowered) taken.delete(id);
    for (const item of this.#items.values()) {
      const before = currentOf(item);
      const now = taken.get(item.id)?.snapshot ?? item.snapshot;
      if (before !== null && before.snapshot !== now) this.#previous.set(item.id, before);
    }
    this.#items = taken;
    this.#etag = etag;
  }

  /** Each once, for as long as it stays so. */
  #tellOddities(lowered: readonly ManifestItem[], absent: readonly string[]): void {
    const { board, says } = this.#deps;
    const oddities = new Set<string>();
    const isNew = (key: string) => {
      oddities.add(key);
      return !this.#oddities.has(key);
    };
    for (const item of lowered) {
      if (isNew(`${item.id}/${item.gen}`)) says.lowered(item, board.get(item.id)?.gen ?? 0);
    }
    for (const id of absent) {
      if (isNew(id)) says.absent(id, this.#terms.channel, board.get(id) !== undefined);
    }
    this.#oddities = oddities;
  }

  #tellFailures(outstanding: readonly NamedRule[]): void {
    const { board, bodies, onFailure } = this.#deps;
    const failing = new Set<string>();
    for (const named of outstanding) {
      const failure = bodies.failureOf(named);
      if (failure === undefined) continue;
      const key = `${named.id}/${named.snapshot}`;
      failing.add(key);
      // With nothing in force at all, it is the service that fails, and the check.
      const isTold = this.#told.has(key) || (board.size === 0 && !isRefusal(failure.error));
      if (isTold) continue;
      this.#told.add(key);
      onFailure(failure);
    }
    for (const key of this.#told) if (!failing.has(key)) this.#told.delete(key);
  }

  /** What the manifest names, and is not at hand. */
  #outstanding(): NamedRule[] {
    const { bodies } = this.#deps;
    return Array.from(this.#items.values(), namedRules)
      .flat()
      .filter((named) => bodies.get(named) === undefined);
  }

  /** Answers whether anything is new. */
  #placeAll(): boolean {
    const { board, place } = this.#deps;
    const entries = Array.from(this.#items.values(), (item) => this.#entryOf(item)).filter(
      (entry) => entry !== undefined && !isSame(board.get(entry.id), entry),
    ) as BoardEntry[];
    if (entries.length > 0) place(entries);
    return entries.length > 0;
  }

  *#keptRules(): Iterable<NamedRule> {
    yield* this.#previous.values();
    for (const item of this.#items.values()) yield* namedRules(item);
    for (const { id, gen, current, next, trial } of this.#deps.board.entries()) {
      for (const rule of [current, next, trial?.stable ?? null]) {
        if (rule !== null) yield { id, gen, ...rule, bodyDigest: null };
      }
    }
  }

  /** Undefined while there is no rule of the policy to run. */
  #entryOf(item: ManifestItem): BoardEntry | undefined {
    const { id, gen, next: nextItem, canary } = item;
    const waiting = this.#otherOf(item, nextItem);
    const next = waiting && {
      ...waiting,
      effectiveAtMs: Date.parse(nextItem?.effectiveAt ?? ''),
    };
    const named = currentOf(item);
    if (named === null) return { id, gen, current: null, next, trial: null };
    const body = this.#deps.bodies.get(named);
    if (body === undefined) {
      // The last good one stays; what was to follow it, or was tried, may have been called off.
      const kept = this.#deps.board.get(id);
      return kept?.current ? { ...withoutTrial(kept), next } : undefined;
    }
    const { snapshot, version } = named;
    const trial = canary && {
      run: canary.run,
      holdsMs: canary.holdsSeconds * 1000,
      stable: this.#otherOf(item, canary.stable),
    };
    return { id, gen, current: { snapshot, version, value: body.value }, next, trial };
  }

  #otherOf({ id, gen }: ManifestItem, rule: Omit<WaitingRule, 'effectiveAt'> | null) {
    if (rule === null) return null;
    const { snapshot, version, bodyDigest } = rule;
    const body = this.#deps.bodies.get({ id, gen, snapshot, version, bodyDigest });
    return { snapshot, version, value: body?.value };
  }

  #failWhenEmpty(outstanding: readonly NamedRule[]): void {
    const { board, bodies } = this.#deps;
    if (board.size > 0 || outstanding.length === 0) return;
    const failure = outstanding.map((named) => bodies.failureOf(named)).find(Boolean);
    // The manifest by itself is not worth anything; each check is a new try for everything.
    this.#etag = null;
    bodies.forgive();
    throw failure?.error ?? new Error('No rule could be had.');
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof RuleRefused;
}

function currentOf({ id, gen, snapshot, version, bodyDigest }: ManifestItem): NamedRule | null {
  return snapshot === null || version === null ? null : { id, gen, snapshot, version, bodyDigest };
}

function namedRules(item: ManifestItem): NamedRule[] {
  const { id, gen, next, canary } = item;
  return [currentOf(item), next, canary?.stable ?? null].flatMap((rule) => {
    if (rule === null) return [];
    const { snapshot, version, bodyDigest } = rule;
    return [{ id, gen, snapshot, version, bodyDigest }];
  });
}

function isSame(held: BoardEntry | undefined, entry: BoardEntry): boolean {
  return (
    held !== undefined &&
    held.gen === entry.gen &&
    held.current?.snapshot === entry.current?.snapshot &&
    isSameRule(held.next, entry.next) &&
    held.next?.effectiveAtMs === entry.next?.effectiveAtMs &&
    held.trial?.run === entry.trial?.run &&
    held.trial?.holdsMs === entry.trial?.holdsMs &&
    isSameRule(held.trial?.stable, entry.trial?.stable)
  );
}

function isSameRule(held: OtherRule | null | undefined, rule: OtherRule | null | undefined) {
  const isAtHand = (each: typeof held) => each?.value !== undefined;
  return held?.snapshot === rule?.snapshot && isAtHand(held) === isAtHand(rule);
}
