import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SavedCopy } from '../../../../sdk/src/node/saved-copy.ts';
import { ownerOfCopies } from '../../../support/numbered-rules.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hms-copy-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kills = 5;
const script = join(import.meta.dirname, '../../../support/save-until-killed.ts');

/** Starts a process that saves, and kills it in the middle. Answers the last copy that it told of. */
async function saveUntilKilled(file: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (told += chunk));
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await once(child, 'close');
  return Number(told.trim().split('\n').at(-1));
}

it('kill -9 while it is written: the copy is whole, and no older than the last that was told', async () => {
  const file = join(folder, 'rules.json');
  for (let kill = 0; kill < kills; kill++) {
    const told = await saveUntilKilled(file, kill * 5);
    const restored = await new SavedCopy(file, ownerOfCopies, () => undefined).load();
    const numbers = restored?.rules.map(([, { value }]) => (value as { number: number }).number);
    const [first = 0] = numbers ?? [];
    expect(numbers).toEqual(Array.from({ length: 10 }, () => first));
    expect(restored?.etag).toBe(`"prod-${first}"`);
    expect(first).toBeGreaterThanOrEqual(told);
    expect(first).toBeLessThanOrEqual(told + 1);
  }
  // What a killed process leaves behind is not taken for a copy.
  expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual(['rules.json']);
});
