import { RE2JS } from '@bufbuild/re2';
import { expressionLimits } from './expression-limits.ts';

const { maxPatternSize, maxUnicodeClasses } = expressionLimits;

/**
 * The engine builds a class from all of Unicode when a process first meets it, in 50 ms or more;
 * there are 200.
 */
const classes = ['L', 'Lu', 'Ll', 'N', 'P', 'S', 'Z'];

/**
 * Compiles a regular expression in RE2's syntax, in time that is bounded by its length.
 * Errors: `Error`, whose message says what is wrong with it.
 */
export function compilePattern(pattern: string): RE2JS {
  // The engine takes counts up to 1000, and time to unroll them.
  if (/\{\d*,?\d{3}/.test(pattern)) throw new Error('has a pattern that counts beyond 99');
  // It folds each character of a range, in 15 ms for all of Unicode.
  if (/\(\?[a-z]*i/i.test(pattern) && /-(?:\\x|[^\0-\x7f])/i.test(pattern)) {
    throw new Error('has a pattern that ignores case in a range beyond ASCII; list its letters');
  }
  const used = [...pattern.matchAll(/\\p(?:\{\^?([^}]*)\}|(.))/gis)];
  if (used.length > maxUnicodeClasses) {
    throw new Error(`has a pattern with more than ${maxUnicodeClasses} classes \\p`);
  }
  for (const [, name, letter] of used) {
    if (classes.includes(name ?? letter ?? '')) continue;
    throw new Error(`has a pattern with another class \\p than ${classes.join(', ')}`);
  }
  const compiled = RE2JS.compile(pattern);
  if (patternSize(compiled) > maxPatternSize) throw new Error('has a pattern that is too large');
  return compiled;
}

/** In instructions of the engine. */
export function patternSize(pattern: RE2JS): number {
  return pattern.re2().prog.numInst();
}

/** As measured: the ranges of a class take most of it. */
export function patternBytes(pattern: RE2JS): number {
  const { inst } = pattern.re2().prog;
  return inst.reduce((sum, { runes }) => sum + 250 + 12 * runes.length, 0);
}

/**
 * The engine remembers what it read, up to 20 MB for one pattern and more for rare characters. To
 * read it again takes some µs.
 */
export function forgetReading(pattern: RE2JS): void {
  const { dfa } = pattern.re2();
  dfa.stateCache.clear();
  dfa.stateCount = 0;
  dfa.startState = null;
  dfa.cacheClears = 0;
  dfa.failed = false;
}
