import type { Json } from '../../../values/json.ts';
import { lintLimits } from '../lint-limits.ts';

const { maxSteps, maxErrors } = lintLimits;

/** Checking was stopped: it takes more than the limits allow. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

interface Size {
  /** Of the value alone: its items, or its keys with their characters. */
  readonly own: number;
  /** With all that is in it. */
  readonly deep: number;
}

/** What checking one rule by one schema has cost. Beyond the limit, whatever spends throws. */
export class WorkMeter {
  #steps = 0;
  readonly #sizes = new Map<Json, Size>();

  constructor(rule: Json) {
    this.#measure(rule);
  }

  /** So far; one step is about 20 ns. Errors: `TooMuchWork`. */
  get steps(): number {
    return this.#steps;
  }

  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > maxSteps) throw new TooMuchWork('too many steps');
  }

  /** A subschema meets a value: `base` steps, and `each` for what an iteration over it takes. */
  meet(value: Json, base: number, each: number, errors: number): void {
    if (errors > maxErrors) throw new TooMuchWork(`more than ${maxErrors} errors on the way`);
    // ajv copies its list of errors when another schema adds to it.
    this.spend(base + each * this.#ownSize(value) + errors / 10);
  }

  /** All of a value is read. */
  read(value: Json): void {
    const deep = this.#sizes.get(value)?.deep ?? this.#ownSize(value);
    this.spend(4 * (1 + deep));
  }

  #ownSize(value: Json): number {
    if (typeof value === 'string') return value.length / 8;
    return typeof value === 'object' ? (this.#sizes.get(value)?.own ?? 0) : 0;
  }

  /** As deep as the rule, which is bounded where it is read. */
  #measure(value: Json): number {
    if (typeof value === 'string') return 1 + value.length / 8;
    if (typeof value !== 'object' || value === null) return 1;
    const entries = Object.entries(value);
    const keyChars = Array.isArray(value) ? 0 : entries.reduce((sum, [key]) => sum + key.length, 0);
    const own = entries.length + keyChars / 8;
    const deep = entries.reduce((sum, [, inner]) => sum + this.#measure(inner), 1 + own);
    this.#sizes.set(value, { own, deep });
    return deep;
  }
}
