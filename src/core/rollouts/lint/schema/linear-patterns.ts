import { RE2JS } from '@bufbuild/re2';
import { lintLimits } from '../lint-limits.ts';
import { foldedChars } from './folded-chars.ts';
import { TooMuchWork, type WorkMeter } from './work-meter.ts';

const {
  maxPatterns,
  maxPatternChars,
  maxPatternSize,
  maxUnicodeClasses,
  maxFoldedChars,
  maxMatchedChars,
  maxPatternStates,
} = lintLimits;

/**
 * The regular expressions of a schema on RE2, in its syntax: no look-around, no back-references.
 * The engine makes states as it reads, and remembers them; they are counted, and forgotten before
 * they are too many.
 */
export class LinearPatterns {
  readonly #meter: WorkMeter;
  readonly #known = new Set<string>();
  readonly #unicodeClasses = new Set<string>();
  readonly #compiled = new Map<string, RE2JS>();
  #folded = 0;
  #states = 0;

  constructor(meter: WorkMeter) {
    this.#meter = meter;
  }

  /** Errors: `Error`, whose message says why the pattern is refused. */
  add(pattern: string): void {
    if (this.#known.has(pattern)) return;
    this.#known.add(pattern);
    if (this.#known.size > maxPatterns)
      throw new Error(`there are more than ${maxPatterns} patterns`);
    if (pattern.length > maxPatternChars) {
      throw new Error(`the pattern has more than ${maxPatternChars} characters`);
    }
    for (const [found] of pattern.matchAll(/\\p(?:\{[^}]*\}|.)/giu))
      this.#unicodeClasses.add(found);
    if (this.#unicodeClasses.size > maxUnicodeClasses) {
      throw new Error(
        `the patterns up to here have more than ${maxUnicodeClasses} different \\p classes`,
      );
    }
    this.#folded += foldedChars(pattern);
    if (this.#folded > maxFoldedChars) {
      throw new Error(
        `the patterns up to here ignore case in ranges of more than ${maxFoldedChars} characters; list the letters`,
      );
    }
    // The engine takes counts up to 1000, and time to unroll them.
    if (/\{\d*,?\d{3}/.test(pattern)) throw new Error('the pattern counts beyond 99');
    if (sizeOf(this.#compile(pattern)) > maxPatternSize) {
      throw new Error('the pattern is too large');
    }
  }

  test(pattern: string, text: string): boolean {
    if (text.length > maxMatchedChars) {
      throw new TooMuchWork(`a text of more than ${maxMatchedChars} characters meets a pattern`);
    }
    const compiled = this.#compiled.get(pattern) ?? this.#compile(pattern);
    const { dfa } = compiled.re2();
    const before = dfa.stateCount;
    const matches = compiled.test(text);
    const states = dfa.stateCount - before;
    this.#states += states;
    if (this.#states > maxPatternStates) {
      this.#compiled.clear();
      this.#states = 0;
    }
    const size = sizeOf(compiled);
    this.#meter.spend(5 + text.length * (5 + size) + states * (500 + 5 * size));
    return matches;
  }

  #compile(pattern: string): RE2JS {
    const compiled = RE2JS.compile(pattern);
    this.#compiled.set(pattern, compiled);
    this.#meter.spend(100 * sizeOf(compiled));
    return compiled;
  }
}

function sizeOf(pattern: RE2JS): number {
  return pattern.re2().prog.numInst();
}
