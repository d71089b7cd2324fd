import { stripVTControlCharacters } from 'node:util';
import type { Output } from './output.ts';

/** Rows under their heads, each column as wide as it needs; nothing but `none` for no rows. */
export function writeTable(
  out: Output,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): void {
  if (rows.length === 0) {
    out.line(none);
    return;
  }
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const joined = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd();
  out.line(out.paint('dim', joined(heads)));
  for (const row of rows) out.line(joined(row));
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
