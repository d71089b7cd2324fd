/** From the first character that has another case to the last. */
const first = 0x41;
const last = 0x1e943;

/**
 * How many characters the engine folds, one after another, to compile a pattern that ignores case:
 * all those of its ranges and of its classes of words. Never fewer than it does, and none without `(?i)`.
 */
export function foldedChars(pattern: string): number {
  if (!/\(\?[a-z]*i/i.test(pattern)) return 0;
  let count = 0;
  // What a `-` is, or where a range begins, does not matter: each is taken for the widest.
  for (const [found, braced, pair, plain] of pattern.matchAll(
    /-(?=\\x\{([0-9a-f]+)\}|\\x([0-9a-f]{2})|([^\\])|)|\\w|\[:/giu,
  )) {
    count += found === '-' ? widthTo(braced ?? pair, plain) : widthTo('7f', undefined);
  }
  return count;
}

/** To a character, by its code in hex or by itself; with neither, to the last of a short escape. */
function widthTo(hex: string | undefined, plain: string | undefined): number {
  const to = hex === undefined ? (plain?.codePointAt(0) ?? 0xff) : Number.parseInt(hex, 16);
  return Math.max(0, Math.min(to, last) - first + 1);
}
