import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';

/** What was measured, on what. */
export function printHead(title: string, how: string): void {
  const cores = cpus();
  console.log(`\n## ${title}\n`);
  console.log(`hms-svc ${version()}, node ${process.version}, ${process.platform} ${release()}`);
  console.log(`${cores[0]?.model ?? 'unknown CPU'} × ${cores.length}, load ${loadavg()[0]}`);
  console.log(`${how}\n`);
}

/** Columns of text, the first aligned to the left, the others to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    console.log(cells.join('   ').trimEnd());
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
