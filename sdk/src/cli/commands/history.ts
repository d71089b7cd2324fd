import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { channelOption, limitOption } from '../options.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { writeTable } from '../table.ts';

interface HistoryItem {
  readonly index: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly channel: string;
  readonly snapshot: string;
  readonly version: string;
  readonly gen: number;
  readonly reason: string | null;
}

interface Options {
  readonly channel?: string;
  readonly limit: number;
}

export function addHistory(program: Command, does: Does): void {
  const command = program
    .command('history')
    .summary('tell what was in force when')
    .description('Tells what was put in force, by whom and why, newest first.')
    .argument('<id>', 'the policy')
    .addOption(channelOption('of which; all unless given'))
    .addOption(limitOption())
    .action(does(history));
  withExamples(
    command,
    'hms-svc history epa-pm25-limit',
    'hms-svc history epa-pm25-limit --channel prod --limit 1 --json',
  );
}

async function history(cli: Cli, id: string, { channel, limit }: Options) {
  const api = await cli.connect('service');
  const place = path`/api/policies/${id}/history`;
  const page = await readPages<HistoryItem>(api, place, { channel }, limit, cli.io.signal);
  const { out } = cli;
  out.result(page, () => {
    const rows = page.items.map((item) => [
      item.at,
      item.channel,
      item.version,
      item.snapshot,
      item.action.replace(/^policy\./, ''),
      item.actor,
      item.reason ?? '',
    ]);
    const heads = ['AT', 'CHANNEL', 'VERSION', 'SNAPSHOT', 'WHAT', 'WHO', 'WHY'];
    writeTable(out, heads, rows, 'Nothing was ever put in force.');
  });
  if (page.next !== null) out.note('There is more: --limit');
}
