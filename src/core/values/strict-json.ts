import type { Json } from './json.ts';

/** The value, or what is wrong with the text. */
export type StrictJson = { readonly value: Json } | { readonly problem: string };

/**
 * JSON as `JSON.parse` takes it, but no name twice in an object and no more than `maxDepth`
 * levels: readers differ on both. Time and memory are linear in the text.
 */
export function parseStrictJson(text: string, maxDepth: number): StrictJson {
  try {
    // Keeps its own stack: no nesting overflows it.
    const value: Json = JSON.parse(text);
    const problem = structureProblem(text, maxDepth);
    return problem === undefined ? { value } : { problem };
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : String(error);
    return { problem: `is not JSON (${why}); correct it` };
  }
}

/** Scans a text that is known to be JSON. */
function structureProblem(text: string, maxDepth: number): string | undefined {
  /** For each open level the names so far; undefined for a list. */
  const levels: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '{' || char === '[') {
      expectsName = char === '{';
      levels.push(expectsName ? new Set() : undefined);
      if (levels.length > maxDepth) return `is nested deeper than ${maxDepth} levels; flatten it`;
    } else if (char === '}' || char === ']') {
      levels.pop();
    } else if (char === ',') {
      expectsName = levels.at(-1) !== undefined;
    } else if (char === '"') {
      const end = endOfString(text, at);
      if (expectsName && !addName(levels.at(-1), text.slice(at, end))) {
        return `repeats the name ${text.slice(at, Math.min(end, at + 100))}; keep one`;
      }
      expectsName = false;
      at = end - 1;
    }
  }
  return undefined;
}

function addName(names: Set<string> | undefined, literal: string): boolean {
  // Two literals may spell the same name: "a" and "\u0061".
  const name = String(JSON.parse(literal));
  if (names?.has(name) === true) return false;
  names?.add(name);
  return true;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
