import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { type Movement, type StagedRule, tellMovement } from '../movement.ts';
import { channels, reasonOption } from '../options.ts';
import { path } from '../paths.ts';
import { Option } from 'commander';

interface Options {
  readonly from: string;
  readonly to: string;
  readonly reason?: string;
  readonly watch?: true;
}

export function addPromote(program: Command, does: Does): void {
  const command = program
    .command('promote')
    .summary('take a rule from one channel to another')
    .description('Puts the newest rule of one channel in force in another.')
    .argument('<id>', 'the policy')
    .addOption(new Option('--from <channel>', 'out of').choices(channels).default('test'))
    .addOption(new Option('--to <channel>', 'into').choices(channels).default('prod'))
    .addOption(reasonOption())
    .option('--watch', 'follow the run, if it becomes one')
    .action(does(promote));
  withExamples(
    command,
    'hms-svc promote epa-pm25-limit --from test --to prod',
    'hms-svc promote epa-pm25-limit --from dev --to test --reason "reviewed on Monday"',
  );
}

async function promote(cli: Cli, id: string, { from, to, reason, watch }: Options) {
  const api = await cli.connect('editor');
  const answer = await api.json<Movement | StagedRule>({
    method: 'POST',
    path: path`/api/policies/${id}/promote`,
    json: { from, to, reason },
    signal: cli.io.signal,
  });
  return tellMovement(cli, api, answer, watch === true);
}
