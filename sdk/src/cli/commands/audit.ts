import { type Command, Option } from 'commander';
import type { Api } from '../../api/api.ts';
import { sleep } from '../../api/delays.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { limitOption, time } from '../options.ts';
import { readPages } from '../pages.ts';

interface JournalItem {
  readonly index: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly requestId: string;
  readonly reason: string | null;
}

interface Options {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly requestId?: string;
  readonly since?: string;
  readonly until?: string;
  readonly log?: string;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly follow?: true;
}

const pollMs = 2000;
const maxAtOnce = 10_000;

export function addAudit(program: Command, does: Does): void {
  const command = program
    .command('audit')
    .summary('read the journal: who changed what, when and why')
    .description('Reads the journal: who changed what, when and why. Filters are combined.')
    .option('--actor <client>', 'who')
    .option('--action <name>', 'what, such as policy.rolledback')
    .option('--subject <name>', 'about what, such as epa-pm25-limit or run:184')
    .option('--request-id <id>', 'by which call')
    .option('--since <time>', 'from then on', time)
    .option('--until <time>', 'before then', time)
    .option('--log <name>', 'of jobs: jobs-0, jobs-1 …')
    .addOption(
      new Option('--order <order>', 'oldest or newest first')
        .choices(['asc', 'desc'])
        .default('desc'),
    )
    .addOption(limitOption())
    .addOption(new Option('--follow', 'go on with what is written from now on').conflicts('until'))
    .action(does(audit));
  withExamples(
    command,
    'hms-svc audit --subject epa-pm25-limit',
    'hms-svc audit --action policy.rolledback --since 2024-09-01 --json',
    'hms-svc audit --follow',
  );
}

async function audit(cli: Cli, options: Options) {
  const api = await cli.connect('auditor');
  const { limit, follow, order, ...filters } = options;
  if (follow === true) return followJournal(cli, api, filters);
  const query = { ...filters, order };
  const page = await readPages<JournalItem>(api, '/api/audit', query, limit, cli.io.signal);
  const { out } = cli;
  out.result(page, () => {
    for (const item of page.items) out.line(itemLine(item));
    if (page.items.length === 0) out.line('Nothing of that is in the journal.');
  });
  if (page.next !== null) out.note('There is more: --limit');
  return exitCodes.done;
}

/** The journal has no stream: it is asked again, from the time of the last entry on. */
async function followJournal(cli: Cli, api: Api, filters: Pick<Options, 'since'>): Promise<number> {
  const { io, out } = cli;
  const read = async (query: object, limit: number) =>
    readPages<JournalItem>(api, '/api/audit', { ...filters, ...query }, limit, io.signal);
  try {
    const { since: given } = filters;
    const [newest] = given === undefined ? (await read({ order: 'desc' }, 1)).items : [];
    let since = newest?.at ?? given;
    let last = newest?.index ?? -1;
    for (;;) {
      const { items } = await read({ since, order: 'asc' }, maxAtOnce);
      for (const item of items) {
        if (item.index <= last) continue;
        ({ at: since, index: last } = item);
        out.item(item, () => out.line(itemLine(item)));
      }
      await sleep(pollMs, io.signal);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return exitCodes.interrupted;
  }
}

function itemLine({
  index,
  at,
  actor,
  action,
  subject,
  before,
  after,
  reason,
}: JournalItem): string {
  const moved = [before, after].map(snapshotOf).filter((text) => text !== '');
  const change = moved.length === 0 ? '' : `  ${moved.join(' → ')}`;
  return `${index}  ${at}  ${actor}  ${action}  ${subject}${change}${reason === null ? '' : `  "${reason}"`}`;
}

/** The version of what a channel had, or has. */
function snapshotOf(value: unknown): string {
  const { version, channel } = (value ?? {}) as Record<string, unknown>;
  return typeof version === 'string' && typeof channel === 'string'
    ? `${version} in ${channel}`
    : '';
}
