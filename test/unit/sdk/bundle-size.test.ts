import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '../../../sdk/src');
const maxBytes = 20 * 1024;

async function bundle(platform: 'browser' | 'node', entry: string) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(source, entry)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2024',
    platform,
  });
  return { bytes: outputFiles[0]!.contents, inputs: Object.keys(metafile.inputs) };
}

describe('the core', () => {
  it('has all that it exports in less than 20 KB, minified and gzipped', async () => {
    const { bytes } = await bundle('browser', 'index.ts');
    expect(gzipSync(bytes).byteLength).toBeLessThan(maxBytes);
  });

  it('runs in browsers, and depends on one small package', async () => {
    // A module of Node would not even be found.
    const { inputs } = await bundle('browser', 'index.ts');
    const packages = inputs.flatMap((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual(['eventsource-parser']);
    expect(inputs.filter((path) => /sdk\/src\/(?:node|cli)\//.test(path))).toEqual([]);
  });
});
