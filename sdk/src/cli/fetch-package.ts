import { fetchPackage as fetchExact } from '../policies/fetch-package.ts';
import { snapshotPath } from '../policies/snapshot-path.ts';
import type { Cli } from './cli.ts';
import { digestOf } from './trust/verify-package.ts';

export interface FetchedPackage {
  readonly id: string;
  readonly snapshot: string;
  /** `sha256:` and 64 hex digits, as the service says and as the bytes are. */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/**
 * The exact package of a snapshot, by any of its names. Errors: `BadAnswerError` when what came is not
 * what the service, or the name of the snapshot, says that it is; those of `Api`.
 */
export async function fetchPackage(cli: Cli, id: string, named: string): Promise<FetchedPackage> {
  const { signal } = cli.io;
  const api = await cli.connect('service');
  const { headers } = await api.send({ path: snapshotPath(id, named), signal });
  const snapshot = snapshotIn(headers);
  const bytes = await fetchExact(api, id, snapshot, signal);
  return { id, snapshot, digest: digestOf(bytes), bytes };
}

/** The snapshot that an answer is of. */
export function snapshotIn(headers: Headers): string {
  return (headers.get('etag') ?? '').replaceAll('"', '');
}
