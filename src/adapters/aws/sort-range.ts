import type { RecordQuery } from '../../ports/record-store.ts';

/** The part of a partition that a query reads. */
export interface SortRange {
  /** Inclusive. */
  readonly low: string | undefined;
  /** Inclusive; of a prefix, the first key beyond it, so that whoever reads up to it must look. */
  readonly high: string | undefined;
  /** Exclusive, and within `low` and `high`: DynamoDB refuses a start key that is not. */
  readonly startAfter: string | undefined;
}

const lastCodePoint = 0x10ffff;
/** DynamoDB refuses a longer one, also in a condition. */
const maxKeyBytes = 1024;

/**
 * One range of sort keys for all that a query says of them, since DynamoDB takes one condition.
 * `undefined` when no key can be in it.
 */
export function sortRange(query: RecordQuery): SortRange | undefined {
  const descending = query.order === 'desc';
  const prefix = query.prefix === '' ? undefined : query.prefix;
  const low = descending ? later(prefix, query.until) : prefix;
  const beyond = prefix === undefined ? undefined : successor(prefix);
  const high = descending ? beyond : earlier(beyond, query.until);
  if (low !== undefined && high !== undefined && isBefore(high, low)) return undefined;
  const { after } = query;
  if (after === undefined) return { low, high, startAfter: undefined };

  const [first, last] = descending ? [high, low] : [low, high];
  const comesBefore = (a: string, b: string): boolean =>
    descending ? isBefore(b, a) : isBefore(a, b);
  if (last !== undefined && !comesBefore(after, last)) return undefined;
  const startAfter = first !== undefined && comesBefore(after, first) ? undefined : after;
  return { low, high, startAfter };
}

/** In the order of DynamoDB: of the bytes in UTF-8. JavaScript's `<` has another beyond U+FFFF. */
function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isBefore(a, b) ? b : a;
}

function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isBefore(a, b) ? a : b;
}

/** A string after all that begin with `prefix`, if there is one: the first, where a key can be it. */
function successor(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === lastCodePoint) continue;
    // Surrogates are no characters, and have no UTF-8 form.
    const next = String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
    if (Buffer.byteLength(next) <= maxKeyBytes) return next;
  }
  return undefined;
}
