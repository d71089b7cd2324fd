import type { Command } from 'commander';
import type { Channel } from '../../wire/run.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { channelOption, channels, limitOption } from '../options.ts';
import { readPages } from '../pages.ts';
import { writeTable } from '../table.ts';

interface InChannel {
  readonly snapshot: string | null;
  readonly version: string | null;
  readonly gen: number;
  readonly next: { readonly version: string; readonly effectiveAt: string } | null;
  readonly canary: {
    readonly run: number;
    readonly version: string;
    readonly percent: number;
    readonly scope: string | null;
  } | null;
}

interface PolicySummary {
  readonly id: string;
  readonly createdAt: string;
  readonly channels: Readonly<Partial<Record<Channel, InChannel>>>;
}

interface Options {
  readonly channel?: Channel;
  readonly limit: number;
}

export function addList(program: Command, does: Does): void {
  const command = program
    .command('list')
    .summary('list policies, and what is in force')
    .description('Lists every policy, and what is in force in which channel.')
    .addOption(channelOption('only those that this one has'))
    .addOption(limitOption())
    .action(does(list));
  withExamples(command, 'hms-svc list', 'hms-svc list --channel prod --json');
}

async function list(cli: Cli, { channel, limit }: Options) {
  const api = await cli.connect('service');
  const page = await readPages<PolicySummary>(api, '/api/policies', {}, limit, cli.io.signal);
  const isIn = (policy: PolicySummary) =>
    channel === undefined || policy.channels[channel] !== undefined;
  const items = page.items.filter(isIn);
  const { out } = cli;
  out.result({ items, next: page.next }, () => {
    const heads = channel === undefined ? channels : [channel];
    const rows = items.map(({ id, channels: held }) =>
      [id].concat(heads.map((one) => cell(held[one]))),
    );
    const none = 'There is no policy yet: hms-svc publish FILE';
    writeTable(out, ['POLICY', ...heads.map((one) => one.toUpperCase())], rows, none);
  });
  if (page.next !== null) out.note('There are more: --limit');
}

function cell(held: InChannel | undefined): string {
  if (held === undefined) return '-';
  const { version, next, canary } = held;
  const coming = next === null ? '' : ` (${next.version} from ${next.effectiveAt})`;
  const tried = canary === null ? '' : ` (run #${canary.run} tries ${canary.version})`;
  return `${version ?? 'nothing yet'}${coming}${tried}`;
}
