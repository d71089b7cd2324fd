import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

// Writes sdk/dist: what is published, and what the examples of this repository import.
const folder = import.meta.dirname;
const dist = join(folder, 'dist');
await rm(dist, { recursive: true, force: true });
await Promise.all([buildScripts(), writeTypes()]);

async function buildScripts(): Promise<void> {
  const entry = (name: string) => join(folder, 'src', name);
  const shared = { bundle: true, format: 'esm', target: 'es2024', outdir: dist } as const;
  await build({
    ...shared,
    platform: 'node',
    // One copy of what entries share: an error of one is an instance of the other's class.
    splitting: true,
    packages: 'external',
    entryPoints: {
      node: entry('node.ts'),
      openfeature: entry('openfeature.ts'),
      cli: entry('cli/main.ts'),
    },
  });
  await build({
    ...shared,
    platform: 'browser',
    packages: 'external',
    entryPoints: { browser: entry('index.ts') },
  });
}

async function writeTypes(): Promise<void> {
  const tsc = join(folder, '../node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', join(folder, 'tsconfig.json')]);
}
