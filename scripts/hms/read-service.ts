import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { serviceNamePattern } from '../../src/core/registry/service-keys.ts';

export interface ServiceSource {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** As it is written, without a url. HMS checks it. */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly healthPath: string;
  readonly firstRoute: string;
  /** It is sent events, which are signed with a secret. */
  readonly subscribes: boolean;
}

/** The part of a manifest that is needed here; each may be missing or be anything. */
interface Manifest {
  readonly name?: unknown;
  readonly routes?: readonly unknown[];
  readonly events?: { readonly subscribes?: readonly unknown[] };
  readonly health?: { readonly path?: unknown };
}

/** Errors: one that says what a name is. */
export function requireServiceName(name: string): void {
  if (serviceNamePattern.test(name)) return;
  throw new Error(
    `"${name}" is no name for a service: 1 to 63 of a-z 0-9 -, and a letter first, such as payment-ledger.`,
  );
}

/**
 * A service by its name, in `services/NAME`, or by its folder: with `service.ts` and
 * `manifest.yaml` in it. Errors: one that says what is missing.
 */
export async function readService(target: string): Promise<ServiceSource> {
  const isFolder = target.includes('/') || target.startsWith('.');
  if (!isFolder) requireServiceName(target);
  const place = isFolder ? target : join('services', target);
  const file = join(place, 'manifest.yaml');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const hint = isFolder ? '' : ` Make it first: npm run --silent hms -- new-service ${target}`;
    throw new Error(`Cannot read ${file}.${hint}`, { cause: error });
  });
  const manifest = parse(text, { uniqueKeys: true, maxAliasCount: 0 }) as Manifest | null;
  const name = manifest?.name;
  if (manifest === null || typeof name !== 'string') throw new Error(`${file} has no name.`);
  requireServiceName(name);
  if (!isFolder && name !== target) throw new Error(`${file} is of "${name}", not "${target}".`);
  if (!(await isFile(join(place, 'service.ts')))) throw new Error(`${place} has no service.ts.`);
  const { routes, events, health } = manifest;
  return {
    name,
    folder: resolve(place),
    manifest: { ...manifest },
    healthPath: typeof health?.path === 'string' ? health.path : '/health',
    firstRoute: typeof routes?.[0] === 'string' ? routes[0] : '/',
    subscribes: (events?.subscribes ?? []).length > 0,
  };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
