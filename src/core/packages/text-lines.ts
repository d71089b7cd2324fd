/** A place in a text, from 1. Columns are in UTF-16 units, as in LSP; a tab is one. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Where the lines of a text begin: found once, then each look-up is a binary search. */
export class TextLines {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  /** An offset before the text counts as 0. */
  at(offset: number): TextPosition {
    const place = Math.max(0, offset);
    let line = 0;
    for (let end = this.#starts.length; line + 1 < end;) {
      const middle = (line + end) >>> 1;
      if ((this.#starts[middle] ?? 0) <= place) line = middle;
      else end = middle;
    }
    return { line: line + 1, column: place - (this.#starts[line] ?? 0) + 1 };
  }
}
