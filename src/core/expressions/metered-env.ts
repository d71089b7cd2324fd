import {
  celEnv,
  celFunc,
  type CelFunc,
  type CelInput,
  celList,
  type CelList,
  celMethod,
  CelScalar,
  type CelValue,
  isCelError,
  isCelList,
  isCelMap,
} from '@bufbuild/cel';
import type { RE2JS } from '@bufbuild/re2';
import { expressionLimits } from './expression-limits.ts';
import { weightOf } from './cel-value.ts';
import { patternSize } from './linear-pattern.ts';
import { StepBudget } from './step-budget.ts';

const { maxMadeChars, maxMadeItems } = expressionLimits;

/** The evaluation under way. */
export interface Work {
  readonly budget: StepBudget;
  /** The compiled patterns of its expression. */
  readonly patterns: ReadonlyMap<string, RE2JS>;
}

/** Evaluation is synchronous: one at a time. */
let work: Work = { budget: new StepBudget(0), patterns: new Map() };

/** Runs `evaluate` on this account. Its budget overdrawn afterwards: its result is void. */
export function spending<T>(account: Work, evaluate: () => T): T {
  const { stackTraceLimit } = Error;
  // An error costs the library ten times more with its stack trace, and a list may make thousands.
  Error.stackTraceLimit = 0;
  work = account;
  try {
    return evaluate();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function spend(steps: number): void {
  work.budget.left -= steps;
  if (work.budget.left < 0) throw new Error('too much work');
}

/** The functions that an expression may call. */
export const standardEnv = celEnv();

/** Put around the range of each macro, with the number of nodes of its body. */
export const meterRange = 'metered_range';

/** The same functions, each of which pays for its work: the language has no other loops. */
export const meteredEnv = celEnv({
  funcs: [
    ...[...standardEnv.funcs].map(metered),
    celFunc(meterRange, [CelScalar.DYN, CelScalar.INT], CelScalar.DYN, (range, nodes) => {
      if (isCelList(range) || isCelMap(range)) spend(range.size * (1 + Number(nodes)));
      return range;
    }),
  ],
});

function metered(func: CelFunc): CelFunc {
  const { name, target, arguments: types, result } = func;
  const call = (self: CelValue | undefined, args: CelValue[]): CelInput => {
    const all = self === undefined ? args : [self, ...args];
    spend(costOf(name, all));
    if (name === 'matches') return matches(all);
    const joined = name === '_+_' ? concat(all) : undefined;
    if (joined !== undefined) return joined;
    const answer = func.call(0, self, args);
    if (answer === undefined || isCelError(answer)) throw answer ?? new Error('no such overload');
    return answer;
  };
  if (target === undefined) {
    return celFunc(name, types, result, (...args: CelValue[]) => call(undefined, args));
  }
  return celMethod(name, target, types, result, function callOn(...args: CelValue[]) {
    return call(this, args);
  });
}

function costOf(name: string, args: readonly CelValue[]): number {
  switch (name) {
    case '_==_':
    case '_!=_':
      return Math.min(...args.map(weightOf));
    case '@in':
      return isCelList(args[1]) ? weightOf(args[1]) : 1;
    default:
      return args.map(flatCost).reduce((sum, cost) => sum + cost, baseCost(name));
  }
}

/** As measured: a time zone takes as long as some hundred nodes, a time as some ten. */
function baseCost(name: string): number {
  if (name.startsWith('get')) return 1000;
  return name === 'timestamp' || name === 'duration' ? 20 : 1;
}

/** Of a call that looks at the text itself, and of a list at most at its places. */
function flatCost(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length / 32;
  return isCelList(value) ? value.size / 16 : 0;
}

/** The items of the lists made here: to copy them out of a list takes fifty times as long. */
const made = new WeakMap<CelList, readonly CelValue[]>();

/** The library chains lists, so that walking a long one takes the square of its length. */
function concat([left, right]: readonly CelValue[]): CelInput | undefined {
  if (isCelList(left) && isCelList(right)) {
    const size = left.size + right.size;
    if (size > maxMadeItems) throw new Error(`makes a list of more than ${maxMadeItems} items`);
    const items = [...(made.get(left) ?? left), ...(made.get(right) ?? right)];
    const list = celList(items);
    made.set(list, items);
    return list;
  }
  const chars = lengthOf(left) + lengthOf(right);
  if (chars > maxMadeChars) throw new Error(`makes a text of more than ${maxMadeChars} characters`);
  return undefined;
}

function lengthOf(value: CelValue | undefined): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

function matches([text, pattern]: readonly CelValue[]): boolean {
  if (typeof text !== 'string' || typeof pattern !== 'string') throw new Error('no such overload');
  const compiled = work.patterns.get(pattern);
  if (compiled === undefined) throw new Error('no such pattern');
  // A linear engine: each character may meet each instruction.
  spend((text.length * patternSize(compiled)) / 2);
  return compiled.test(text);
}
