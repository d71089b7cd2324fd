import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** A service of somebody's own, as its folder has it. */
export interface ServiceSource {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** As it is written, without a url. HMS checks it. */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly healthPath: string;
  readonly firstRoute: string;
}

/** The part of a manifest that is needed here; each may be missing or be anything. */
interface Manifest {
  readonly name?: unknown;
  readonly routes?: readonly unknown[];
  readonly health?: { readonly path?: unknown };
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Errors: `Failure` that says what a name is. */
export function requireServiceName(name: string): void {
  if (namePattern.test(name)) return;
  throw new Failure(
    exitCodes.usage,
    `"${name}" is no name for a service: 1 to 63 of a-z 0-9 -, and a letter first, such as payment-ledger.`,
  );
}

/**
 * A service by its name, in `services/NAME` of a folder, or by its own folder: with `service.ts` and
 * `manifest.yaml` in it. Errors: `Failure` that says what is missing.
 */
export async function readService(target: string, cwd: string): Promise<ServiceSource> {
  const isFolder = /[/\\]/.test(target) || target.startsWith('.');
  if (!isFolder) requireServiceName(target);
  const place = isFolder ? target : join('services', target);
  const folder = resolve(cwd, place);
  const file = join(place, 'manifest.yaml');
  const manifest = await readManifest(resolve(cwd, file), file, isFolder ? null : target);
  const { name, routes, health } = manifest;
  if (typeof name !== 'string') throw refuse(`${file} has no name.`);
  requireServiceName(name);
  if (!isFolder && name !== target) throw refuse(`${file} is of "${name}", not "${target}".`);
  if (!(await isFile(join(folder, 'service.ts')))) throw refuse(`${place} has no service.ts.`);
  return {
    name,
    folder,
    manifest: { ...manifest },
    healthPath: typeof health?.path === 'string' ? health.path : '/health',
    firstRoute: typeof routes?.[0] === 'string' ? routes[0] : '/',
  };
}

async function readManifest(path: string, file: string, wanted: string | null): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const next = wanted === null ? [] : [`Make it first: hms-svc new-service ${wanted}`];
    throw new Failure(exitCodes.usage, `Cannot read ${file}.`, next, { cause });
  });
  try {
    return (parse(text, { uniqueKeys: true, maxAliasCount: 0 }) ?? {}) as Manifest;
  } catch (cause) {
    const { message } = cause as Error;
    throw new Failure(exitCodes.usage, `${file} is no YAML: ${message}`, [], { cause });
  }
}

function refuse(message: string): Failure {
  return new Failure(exitCodes.usage, message);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
