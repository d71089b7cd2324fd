import type { PdfTokens } from './pdf-tokens.ts';

/** A value of a dictionary, as far as we look at it. */
export type PdfValue =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'reference'; readonly object: number }
  | { readonly kind: 'null' | 'other' };

export type PdfDictionary = ReadonlyMap<string, PdfValue>;

const maxEntries = 200;
const maxDepth = 32;
const closers = { '<<': '>>', '[': ']' } as const;

/**
 * The dictionary whose `<<` was just read, up to its `>>`. Null for one that two readers could take
 * for two things: a broken one, or one with a key twice; and for one with more than 200 entries.
 */
export function readDictionary(tokens: PdfTokens): PdfDictionary | null {
  const entries = new Map<string, PdfValue>();
  for (;;) {
    const key = tokens.next();
    if (key.kind === '>>') return entries;
    if (key.kind !== 'name' || entries.has(key.text) || entries.size === maxEntries) return null;
    const value = readValue(tokens);
    if (value === null) return null;
    entries.set(key.text, value);
  }
}

function readValue(tokens: PdfTokens): PdfValue | null {
  const token = tokens.next();
  switch (token.kind) {
    case 'name':
      return token;
    case 'integer':
      return readReference(tokens, token.value);
    case 'word':
      return { kind: token.text === 'null' ? 'null' : 'other' };
    case 'string':
      return { kind: 'other' };
    case '<<':
    case '[':
      return skipTo(tokens, closers[token.kind]);
    default:
      return null;
  }
}

/** `12 0 R`, or the number 12 alone. */
function readReference(tokens: PdfTokens, object: number): PdfValue {
  const { at } = tokens;
  const generation = tokens.next();
  const word = tokens.next();
  if (generation.kind === 'integer' && word.kind === 'word' && word.text === 'R') {
    return { kind: 'reference', object };
  }
  tokens.at = at;
  return { kind: 'other' };
}

function skipTo(tokens: PdfTokens, closer: string): PdfValue | null {
  const open = [closer];
  while (open.length > 0) {
    const { kind } = tokens.next();
    if (kind === 'end' || open.length > maxDepth) return null;
    if (kind === '<<' || kind === '[') open.push(closers[kind]);
    else if ((kind === '>>' || kind === ']') && open.pop() !== kind) return null;
  }
  return { kind: 'other' };
}
