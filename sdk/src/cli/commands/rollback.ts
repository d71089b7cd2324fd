import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { formatMs } from '../durations.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { type Movement, tellMovement } from '../movement.ts';
import { channelOption, reasonOption } from '../options.ts';
import { path } from '../paths.ts';
import { parseSnapshotName } from '../snapshot-name.ts';

interface Options {
  readonly channel: string;
  readonly reason?: string;
  readonly ifMatch?: string;
}

export function addRollback(program: Command, does: Does): void {
  const command = program
    .command('rollback')
    .summary('put an earlier rule back in force, at once')
    .description(
      'Puts an earlier rule back in force, for every reader at once; without a snapshot, the one before.',
    )
    .argument('<policy>', 'ID, or ID@SNAPSHOT: a version, a snapshot or the beginning of one')
    .argument('[snapshot]', 'the same, apart')
    .addOption(channelOption('where').default('prod'))
    .addOption(reasonOption())
    .option('--if-match <snapshot>', 'only while this one is in force')
    .action(does(rollback));
  withExamples(
    command,
    'hms-svc rollback epa-pm25-limit@1.5.0 --reason smoke',
    'hms-svc rollback epa-pm25-limit',
    'hms-svc rollback epa-pm25-limit v2024-06-10-1830-9f86d081 --channel test',
  );
}

async function rollback(cli: Cli, policy: string, apart: string | undefined, options: Options) {
  const { id, snapshot = apart } = parseSnapshotName(policy);
  if (apart !== undefined && snapshot !== apart) {
    throw new Failure(exitCodes.usage, 'Name one snapshot: ID@SNAPSHOT, or ID SNAPSHOT.');
  }
  const { channel, reason, ifMatch } = options;
  const api = await cli.connect('editor');
  const startMs = performance.now();
  const answer = await api.json<Movement>({
    method: 'POST',
    path: path`/api/policies/${id}/rollback`,
    json: { snapshot, channel, reason },
    headers: { 'if-match': ifMatch === undefined ? undefined : `"${ifMatch}"` },
    // Without a snapshot, twice would go back twice.
    idempotent: snapshot !== undefined,
    signal: cli.io.signal,
  });
  const code = await tellMovement(cli, api, answer, false);
  cli.out.note(`Every reader has it now: ${formatMs(performance.now() - startMs)}.`);
  return code;
}
