import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { pathOf } from '../arguments.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { channelOption, time } from '../options.ts';
import { path } from '../paths.ts';
import { fetchPackage, snapshotIn } from '../fetch-package.ts';
import { parseSnapshotName } from '../snapshot-name.ts';

interface Options {
  readonly channel?: string;
  readonly at?: string;
  readonly known?: string;
  readonly field?: string;
  readonly package?: string;
}

interface Found {
  readonly id: string;
  readonly snapshot: string;
  /** Null for a snapshot that was asked for by name. */
  readonly channel: string | null;
  /** A run whose candidate this is. */
  readonly canaryRun: number | null;
  /** A rule that waits for its effective time. */
  readonly next: { readonly snapshot: string; readonly effectiveAt: string | null } | null;
  readonly rule: Readonly<Record<string, unknown>>;
}

export function addGet(program: Command, does: Does): void {
  const command = program
    .command('get')
    .summary('show the rule in force, or any other')
    .description('Shows the rule in force, the one that was, or any that was ever stored.')
    .argument('<policy>', 'ID for what is in force, or ID@SNAPSHOT')
    .addOption(channelOption('of which, for what is in force; prod unless given'))
    .option('--at <time>', 'what was in force then', time)
    .option('--known <time>', 'with --at: as it was known at that time', time)
    .option('--field <name>', 'one field of the rule alone: a/b goes deeper')
    .option('--package <file>', 'write the exact package of ID@SNAPSHOT to a file')
    .action(does(get));
  withExamples(
    command,
    'hms-svc get epa-pm25-limit',
    'hms-svc get MAX_INCOME --field value',
    'hms-svc get epa-pm25-limit --at 2024-08-31',
    'hms-svc get epa-pm25-limit@2.0.0 --package rule.zip',
  );
}

async function get(cli: Cli, policy: string, options: Options) {
  const { id, snapshot } = parseSnapshotName(policy);
  if (options.package !== undefined) {
    return writePackage(cli, id, snapshot, options.package);
  }
  const found =
    snapshot === undefined ? await inForce(cli, id, options) : await stored(cli, id, snapshot);
  const { out } = cli;
  if (options.field !== undefined) {
    const value = fieldOf(found.rule, options.field);
    out.result(value, () => out.line(typeof value === 'string' ? value : JSON.stringify(value)));
    return;
  }
  out.result(found, () => out.line(JSON.stringify(found.rule, undefined, 2)));
  const { channel, canaryRun, next } = found;
  out.note(`${found.snapshot}${channel === null ? '' : `, in force in ${channel}`}`);
  if (canaryRun !== null) out.note(`This is the candidate of run #${canaryRun}.`);
  if (next !== null) out.note(`From ${next.effectiveAt} on: ${next.snapshot}`);
}

async function inForce(
  cli: Cli,
  id: string,
  { channel = 'prod', at, known }: Options,
): Promise<Found> {
  const api = await cli.connect('service');
  const { bytes, headers } = await api.send({
    path: path`/api/policies/${id}`,
    query: { channel, at, known },
    signal: cli.io.signal,
  });
  const [run, next] = [headers.get('x-canary-run'), headers.get('x-next-snapshot')];
  return {
    id,
    snapshot: snapshotIn(headers),
    channel,
    canaryRun: run === null ? null : Number(run),
    next: next === null ? null : { snapshot: next, effectiveAt: headers.get('x-next-effective') },
    rule: ruleIn(bytes),
  };
}

async function stored(cli: Cli, id: string, snapshot: string): Promise<Found> {
  const api = await cli.connect('service');
  const { bytes, headers } = await api.send({
    path: path`/api/policies/${id}/snapshots/${snapshot}`,
    headers: { accept: 'application/json' },
    signal: cli.io.signal,
  });
  const found = { id, snapshot: snapshotIn(headers), channel: null, canaryRun: null, next: null };
  return { ...found, rule: ruleIn(bytes) };
}

async function writePackage(
  cli: Cli,
  id: string,
  snapshot: string | undefined,
  file: string,
): Promise<void> {
  if (snapshot === undefined) {
    throw new Failure(exitCodes.usage, 'Name the snapshot of the package: ID@SNAPSHOT.');
  }
  const fetched = await fetchPackage(cli, id, snapshot);
  await writeFile(pathOf(cli, file), fetched.bytes);
  const { bytes, ...told } = fetched;
  const shown = { ...told, file, sizeBytes: bytes.byteLength };
  cli.out.result(shown, () => cli.out.line(`${file}: ${told.snapshot}, ${told.digest}`));
}

function ruleIn(bytes: Uint8Array): Found['rule'] {
  return JSON.parse(new TextDecoder().decode(bytes)) as Found['rule'];
}

function fieldOf(rule: Found['rule'], field: string): unknown {
  let value: unknown = rule;
  for (const name of field.replace(/^\//, '').split('/')) {
    const fields = typeof value === 'object' && value !== null ? value : {};
    if (!Object.hasOwn(fields, name)) {
      const names = Object.keys(rule).join(', ');
      throw new Failure(exitCodes.notFound, `The rule has no field "${field}". It has: ${names}`);
    }
    value = (fields as Record<string, unknown>)[name];
  }
  return value;
}
