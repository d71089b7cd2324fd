import type { Api } from '../api/api.ts';
import type { CallOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import { HmsError } from '../api/errors.ts';
import { type Run, startRun } from '../rollouts/run.ts';
import type { NewRun } from '../wire/run.ts';
import { packPackage, type PackedPolicy } from './pack-package.ts';

export interface DeployOptions extends Omit<NewRun, 'policies'>, CallOptions {
  /** A YAML rule, a folder with `policy.yaml`, or a ZIP. */
  readonly file?: string;
  /** Several of them, which switch together, or not at all. */
  readonly files?: readonly string[];
  /** Resolves when the run has ended, and throws when it did not succeed. */
  readonly wait?: boolean;
}

/**
 * Stores rules from files and rolls them out, in stages. Nothing is sent before all files were read.
 * Errors: `HmsError` for a file that is no package, `ProblemError` for one that the service refuses;
 * with `wait`, those of `Run.done`.
 */
export async function deployPolicy(options: DeployOptions): Promise<Run> {
  const { file, files = [], wait = false, connection, signal, ...wish } = options;
  const paths = file === undefined ? files : [file, ...files];
  if (paths.length === 0) throw new HmsError('Name a file to deploy.');
  const api = connect(connection);
  const packed: PackedPolicy[] = [];
  for (const path of paths) packed.push(await packPackage(path));
  const policies: NewRun['policies'][number][] = [];
  for (const each of packed) policies.push(await storePackage(api, each, signal));
  const run = await startRun({ ...wish, policies, connection: api, signal });
  if (wait) await run.done({ signal });
  return run;
}

/** Stores a package, and moves no channel. The same again is the same snapshot. */
export async function storePackage(
  api: Api,
  { id, bytes }: Pick<PackedPolicy, 'id' | 'bytes'>,
  signal?: AbortSignal,
): Promise<{ readonly id: string; readonly snapshot: string }> {
  const { snapshot } = await api.json<{ readonly snapshot: string }>({
    method: 'POST',
    path: `/api/policies/${encodeURIComponent(id)}/snapshots`,
    headers: { 'content-type': 'application/zip' },
    body: bytes,
    idempotent: true,
    signal,
  });
  return { id, snapshot };
}
