/** The lines that a terminal shows in the end, of what was written: as much of one as is used here. */
export function screenOf(written: string): string[] {
  const rows: string[] = [''];
  const at = { row: 0, column: 0 };
  const [first = '', ...rest] = written.split('\u001b[');
  write(rows, at, first);
  for (const part of rest) {
    const [whole = '', count = '', letter = ''] = /^([?\d;]*)([A-Za-z])/.exec(part) ?? [];
    if (letter === 'A') at.row -= Number.parseInt(count, 10) || 1;
    else if (letter === 'B') at.row += Number.parseInt(count, 10) || 1;
    else if (letter === 'G') at.column = 0;
    else if (letter === 'K') rows[at.row] = count === '2' ? '' : upTo(rows[at.row], at.column);
    write(rows, at, part.slice(whole.length));
  }
  return rows.filter((text) => text !== '');
}

function write(rows: string[], at: { row: number; column: number }, text: string): void {
  for (const char of text) {
    if (char === '\n') {
      at.row += 1;
      at.column = 0;
      rows[at.row] ??= '';
    } else {
      const before = rows[at.row] ?? '';
      rows[at.row] = upTo(before, at.column) + char + before.slice(at.column + 1);
      at.column += 1;
    }
  }
}

function upTo(text: string | undefined, column: number): string {
  return (text ?? '').slice(0, column).padEnd(column);
}
