import type { Command } from 'commander';
import type { Api } from '../../api/api.ts';
import type { PackedPolicy } from '../../node/pack-package.ts';
import { pathOf, reasonHeader } from '../arguments.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Movement, type StagedRule, tellMovement } from '../movement.ts';
import { channelOption, reasonOption } from '../options.ts';
import { path } from '../paths.ts';
import { packed } from '../trust/package-files.ts';

interface Options {
  readonly channel: string;
  readonly reason?: string;
  readonly staged?: true;
  readonly watch?: true;
  readonly ifMatch?: string;
  readonly storeOnly?: true;
}

interface Stored {
  readonly id: string;
  readonly snapshot: string;
  readonly version: string;
  readonly status: 'stored' | 'unchanged';
}

export function addPublish(program: Command, does: Does): void {
  const command = program
    .command('publish')
    .summary('put a rule in force')
    .description(
      'Stores a rule, and puts it in force in a channel. The policy is the one it names.',
    )
    .argument('<file>', 'a YAML rule, a folder of a package, or a ZIP')
    .addOption(channelOption('where').default('dev'))
    .addOption(reasonOption())
    .option('--staged', 'by a rollout in stages, as the channel has it')
    .option('--watch', 'follow the run, if it becomes one')
    .option('--if-match <snapshot>', 'only while this one is in force')
    .option('--store-only', 'store it, and move no channel')
    .action(does(publish));
  withExamples(
    command,
    'hms-svc publish examples/fcc-5g-rural/policy.yaml --channel prod',
    'hms-svc publish rule.zip --channel prod --reason "FCC 26-41" --staged --watch',
    'hms-svc publish examples/epa-pm25/2.0.0 --store-only',
  );
}

async function publish(cli: Cli, file: string, options: Options) {
  const { id, bytes } = await packed(pathOf(cli, file));
  const reason = reasonHeader(options.reason);
  const api = await cli.connect('editor');
  if (options.storeOnly === true) return store(cli, api, { id, bytes }, reason);
  const answer = await api.json<Movement | StagedRule>({
    method: 'POST',
    path: path`/api/policies/${id}/publish`,
    body: bytes,
    headers: {
      'content-type': 'application/zip',
      'x-channel': options.channel,
      'x-reason': reason,
      'x-rollout': options.staged === true ? 'staged' : undefined,
      'if-match': options.ifMatch === undefined ? undefined : `"${options.ifMatch}"`,
    },
    signal: cli.io.signal,
  });
  return tellMovement(cli, api, answer, options.watch === true);
}

async function store(
  { io, out }: Cli,
  api: Api,
  { id, bytes }: Pick<PackedPolicy, 'id' | 'bytes'>,
  reason: string | undefined,
) {
  const stored = await api.json<Stored>({
    method: 'POST',
    path: path`/api/policies/${id}/snapshots`,
    body: bytes,
    headers: { 'content-type': 'application/zip', 'x-reason': reason },
    // The same bytes again are stored already.
    idempotent: true,
    signal: io.signal,
  });
  out.result(stored, () => {
    const again = stored.status === 'unchanged' ? 'was stored already' : 'is stored';
    out.line(`${stored.id}@${stored.version} ${again}: ${stored.snapshot}`);
  });
  return exitCodes.done;
}
