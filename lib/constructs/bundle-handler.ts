import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { buildSync } from 'esbuild';
import type { BuildOptions, Metafile } from 'esbuild';

export const root = join(import.meta.dirname, '../..');
const bundlesFolder = join(root, '.cache/bundles');

/** One function's code, ready to upload. */
export interface Bundle {
  /** Named after its content: the same code is never built or uploaded twice. */
  readonly folder: string;
  /** What Node reads before the first call: `dynamic import()` not followed. */
  readonly eagerBytes: number;
  /** The files of the checkout that this is made of. */
  readonly eagerModules: readonly string[];
}

const built = new Map<string, Bundle>();

/**
 * Bundles `lambdas/<name>.ts` with all that it imports, as `index.mjs`.
 *
 * `assets`: files of the checkout, copied into `assets/` beside it.
 */
export function bundleHandler(name: string, assets: readonly string[] = []): Bundle {
  const key = [name, ...assets].join();
  const known = built.get(key);
  if (known !== undefined) return known;
  const bundle = bundleEntry(name, { entryPoints: [`lambdas/${name}.ts`] }, assets);
  built.set(key, bundle);
  return bundle;
}

/** What there is to bundle: an entry, which becomes `index.mjs`, and how its own differs. */
type Entry = Pick<BuildOptions, 'entryPoints' | 'stdin' | 'nodePaths' | 'define'>;

/** Errors: those of esbuild, which name the place in the code. */
export function bundleEntry(name: string, entry: Entry, assets: readonly string[] = []): Bundle {
  const result = buildSync({
    ...entry,
    absWorkingDir: root,
    outdir: 'bundle',
    entryNames: 'index',
    outExtension: { '.js': '.mjs' },
    write: false,
    metafile: true,
    bundle: true,
    // What is only needed on some paths (`await import(…)`) is read only there.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
    // esbuild's default for Node takes CommonJS first, and then cannot drop what is not used:
    // https://esbuild.github.io/api/#main-fields
    mainFields: ['module', 'main'],
    // Compiled parts, which ssh2 would like to have and goes on without.
    external: ['cpu-features', '*.node'],
    // CommonJS inside an ES module still calls `require` for what Node brings along:
    // https://github.com/evanw/esbuild/issues/1921
    banner: { js: requireBanner },
    // And asks where it is: a part of ssh2 in WebAssembly does.
    define: {
      __dirname: 'import.meta.dirname',
      __filename: 'import.meta.filename',
      ...entry.define,
    },
  });
  const outputs = eagerOutputs(result.metafile);
  const code = result.outputFiles.map(({ path, contents }) => ({ path: basename(path), contents }));
  return {
    folder: store(name, [...code, ...assets.map(asAsset)]),
    eagerBytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
    eagerModules: outputs.flatMap(({ inputs }) => Object.keys(inputs)),
  };
}

const requireBanner =
  "import{createRequire as hmsRequire}from'node:module';const require=hmsRequire(import.meta.url);";

function asAsset(file: string): BundledFile {
  return { path: `assets/${basename(file)}`, contents: readFileSync(join(root, file)) };
}

interface BundledFile {
  /** Within the bundle. */
  readonly path: string;
  readonly contents: Uint8Array;
}

function store(name: string, files: readonly BundledFile[]): string {
  const hash = createHash('sha256');
  for (const { path, contents } of files)
    hash.update(`${path}\0${contents.length}\0`).update(contents);
  const folder = join(bundlesFolder, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(bundlesFolder, { recursive: true });
  const draft = mkdtempSync(join(bundlesFolder, '.draft-'));
  for (const { path, contents } of files) {
    mkdirSync(dirname(join(draft, path)), { recursive: true });
    writeFileSync(join(draft, path), contents);
  }
  publish(draft, folder);
  return folder;
}

/** Another synth may have stored the same content meanwhile: then its copy is as good. */
function publish(draft: string, folder: string): void {
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

/** The entry and the chunks that it imports, directly or through others. */
function eagerOutputs({ outputs }: Metafile): Metafile['outputs'][string][] {
  const paths = Object.keys(outputs).filter((path) => basename(path) === 'index.mjs');
  const eager = new Map<string, Metafile['outputs'][string]>();
  for (const path of paths) {
    const output = outputs[path];
    if (output === undefined || eager.has(path)) continue;
    eager.set(path, output);
    const imported = output.imports.filter(({ kind }) => kind === 'import-statement');
    paths.push(...imported.map((chunk) => chunk.path));
  }
  return [...eager.values()];
}
