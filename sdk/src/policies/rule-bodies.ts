import { retryDelayMs } from '../api/delays.ts';
import { Alarm } from './alarm.ts';
import type { CheckedRule, NamedRule } from './check-rule.ts';

/** Gets a rule and checks it. Errors: `RuleRefused`, or why it cannot be had. */
export type FetchRule = (named: NamedRule, signal: AbortSignal) => Promise<CheckedRule>;

/** A rule that could not be had, or must not be run. */
export interface RuleFailure {
  readonly named: NamedRule;
  readonly error: unknown;
  readonly tries: number;
  readonly retryAtMs: number;
}

/** How long what is at hand waits for the rest. */
interface Hold {
  untilMs: number;
}

const atOnce = 8;
/** A rule that failed so often holds nothing back any more. */
const maxTries = 3;
/** Nor does anything after the first failure was so long ago. */
const maxHoldMs = 15_000;
/** Who is asked to wait for longer does not hold the others meanwhile. */
const maxWaitMs = 5000;
const firstDelayMs = 400;
const laterDelayMs = 30_000;

/**
 * The rules at hand, by policy and snapshot; what a snapshot says never changes, so none is fetched
 * twice. Holds what `retain` names, and no more.
 */
export class RuleBodies {
  readonly #fetch: FetchRule;
  readonly #alarm: Alarm;
  readonly #held = new Map<string, CheckedRule>();
  readonly #failures = new Map<string, RuleFailure>();

  constructor(fetchRule: FetchRule, keepsAlive: boolean) {
    this.#fetch = fetchRule;
    this.#alarm = new Alarm(keepsAlive);
  }

  /** Undefined when it is not at hand, or is not what was named. */
  get(named: NamedRule): CheckedRule | undefined {
    const held = this.#held.get(keyOf(named));
    const { bodyDigest } = named;
    return bodyDigest === null || held?.digest === bodyDigest ? held : undefined;
  }

  keep(named: NamedRule, rule: CheckedRule): void {
    this.#held.set(keyOf(named), rule);
    this.#failures.delete(keyOf(named));
  }

  /** Why it is not at hand; undefined when nobody has tried, or it is. */
  failureOf(named: NamedRule): RuleFailure | undefined {
    return this.#failures.get(keyOf(named));
  }

  /**
   * Gets what of these is not at hand. Resolves when all is, or when all else has failed 3 times, is
   * to be asked for much later, or 15 s have passed since the first failure.
   */
  async bring(named: readonly NamedRule[], signal: AbortSignal): Promise<void> {
    const hold: Hold = { untilMs: Infinity };
    const isWaitedFor = (rule: NamedRule): boolean => {
      const failure = this.failureOf(rule);
      if (failure === undefined) return true;
      return failure.tries < maxTries && failure.retryAtMs - performance.now() < maxWaitMs;
    };
    for (;;) {
      const missing = named.filter((rule) => this.get(rule) === undefined && isWaitedFor(rule));
      const nowMs = performance.now();
      if (missing.length === 0 || nowMs >= hold.untilMs || signal.aborted) return;
      const waitMs = least(missing.map((rule) => this.#retryAtMs(rule))) - nowMs;
      if (waitMs > 0) {
        await this.#alarm.wait(Math.min(waitMs, hold.untilMs - nowMs), signal);
      } else {
        const due = missing.filter((rule) => this.#retryAtMs(rule) <= nowMs);
        await this.#fetchAll(due, signal, hold);
      }
    }
  }

  /** Tries once more, a few at a time, what has been given up and is due. Answers whether any is here now. */
  async retry(named: readonly NamedRule[], signal: AbortSignal): Promise<boolean> {
    const nowMs = performance.now();
    const due = named.filter((rule) => {
      const { tries = 0, retryAtMs = 0 } = this.failureOf(rule) ?? {};
      return tries >= maxTries && retryAtMs <= nowMs;
    });
    await this.#fetchAll(due.slice(0, atOnce), signal, { untilMs: Infinity });
    return due.some((rule) => this.get(rule) !== undefined);
  }

  /** Nothing is taken for broken any more. */
  forgive(): void {
    this.#failures.clear();
  }

  /** Lets go of everything else. */
  retain(named: Iterable<NamedRule>): void {
    const keys = new Set(Array.from(named, keyOf));
    for (const map of [this.#held, this.#failures]) {
      for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
    }
  }

  #retryAtMs(rule: NamedRule): number {
    return this.failureOf(rule)?.retryAtMs ?? 0;
  }

  async #fetchAll(rules: readonly NamedRule[], signal: AbortSignal, hold: Hold): Promise<void> {
    const left = rules.values();
    const worker = async () => {
      for (const rule of left) {
        if (signal.aborted || performance.now() >= hold.untilMs) return;
        await this.#fetchOne(rule, signal, hold);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, rules.length) }, worker));
  }

  async #fetchOne(named: NamedRule, signal: AbortSignal, hold: Hold): Promise<void> {
    try {
      this.keep(named, await this.#fetch(named, signal));
    } catch (error) {
      if (signal.aborted) return;
      const tries = (this.failureOf(named)?.tries ?? 0) + 1;
      const waitMs = retryDelayMs(error, tries, tries < maxTries ? firstDelayMs : laterDelayMs);
      const nowMs = performance.now();
      const retryAtMs = nowMs + waitMs;
      hold.untilMs = Math.min(hold.untilMs, nowMs + maxHoldMs);
      this.#failures.set(keyOf(named), { named, error, tries, retryAtMs });
    }
  }
}

function keyOf({ id, snapshot }: NamedRule): string {
  return `${id}/${snapshot}`;
}

/** There may be too many for the arguments of `Math.min`. */
function least(times: readonly number[]): number {
  return times.reduce((first, time) => Math.min(first, time), Infinity);
}
