import type { Command } from 'commander';
import type { RunPage } from '../../wire/run.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { readRun } from '../follow-run.ts';
import { tellRun } from '../movement.ts';
import { limitOption, reasonOption, runNumber } from '../options.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { addRunOptions, type RunOptions, startRun } from '../run-options.ts';
import { runLines, titleLine } from '../run-view.ts';
import { writeTable } from '../table.ts';
import { watchRun } from '../watch-run.ts';

export function addRun(program: Command, does: Does): void {
  const run = program
    .command('run')
    .summary('roll rules out in stages')
    .description(
      'Rolls rules out in stages: checked, replayed, tried on a few, then for everyone.',
    );
  addStart(run, does);
  addWatch(run, does);
  addAbort(run, does);
  addList(run, does);
  addShow(run, does);
}

function addStart(run: Command, does: Does): void {
  const command = run
    .command('start')
    .summary('start a run')
    .description('Stores rules, and starts the run that rolls them out. Several switch as one.')
    .argument('<rules...>', 'YAML rules, folders, ZIPs, or ID@SNAPSHOT of what is stored');
  addRunOptions(command)
    .option('--watch', 'follow it until it has ended')
    .action(
      does(
        async (cli, rules: readonly string[], options: RunOptions & { readonly watch?: true }) => {
          const api = await cli.connect('editor');
          const created = await startRun(cli, api, rules, options);
          return tellRun(cli, api, created, options.watch === true);
        },
      ),
    );
  withExamples(
    command,
    'hms-svc run start examples/epa-pm25/2.0.0 --canary 5 --scope region:NCR --observe 5m --watch',
    'hms-svc run start epa-pm25-limit@2.0.0 --partners state-of-maine,epa-region-3',
    'hms-svc run start a.yaml b.yaml --no-canary --hotfix --reason "wrong unit"',
  );
}

function addWatch(run: Command, does: Does): void {
  const command = run
    .command('watch')
    .summary('follow a run until it has ended')
    .description(
      'Follows a run, live, until it has ended. Exits with 6 unless it succeeded. Ctrl-C leaves it alone.',
    )
    .argument('<run>', 'its number', runNumber)
    .action(
      does(async (cli, number: number) => watchRun(cli, await cli.connect('service'), number)),
    );
  withExamples(
    command,
    'hms-svc run watch 184',
    '# In CI: fails when the run was rolled back, rejected or aborted',
    'hms-svc run watch 184 --json',
  );
}

function addAbort(run: Command, does: Does): void {
  const command = run
    .command('abort')
    .summary('stop a run')
    .description('Stops a run: everyone is on the rule from before it, at once.')
    .argument('<run>', 'its number', runNumber)
    .addOption(reasonOption())
    .action(does(abort));
  withExamples(command, 'hms-svc run abort 184 --reason "complaints from NCR"');
}

async function abort(cli: Cli, number: number, { reason }: { readonly reason?: string }) {
  const api = await cli.connect('editor');
  const page = await api.json<RunPage>({
    method: 'POST',
    path: path`/api/runs/${number}/abort`,
    json: { reason },
    // A run that has ended stays as it ended.
    idempotent: true,
    signal: cli.io.signal,
  });
  cli.out.result(page, () => {
    cli.out.line(
      page.status === 'aborted'
        ? `Run #${number} is aborted: everyone is on the rule from before it.`
        : `Run #${number} had ended before: ${page.status}. ${page.outcome ?? ''}`,
    );
  });
}

function addList(run: Command, does: Does): void {
  const command = run
    .command('list')
    .summary('list runs')
    .description('Lists runs, newest first.')
    .addOption(limitOption().default(20))
    .action(does(list));
  withExamples(command, 'hms-svc run list --limit 5');
}

async function list(cli: Cli, { limit }: { readonly limit: number }) {
  const api = await cli.connect('service');
  const page = await readPages<RunPage>(api, '/api/runs', {}, limit, cli.io.signal);
  const { out } = cli;
  out.result(page, () => {
    const rows = page.items.map(({ run, status, channel, policies, author, createdAt }) => [
      `#${run}`,
      status,
      channel,
      policies.map(({ id, version }) => `${id}@${version}`).join(', '),
      author,
      createdAt,
    ]);
    const none = 'There is no run yet: hms-svc run start FILE';
    writeTable(out, ['RUN', 'STATUS', 'CHANNEL', 'RULES', 'BY', 'AT'], rows, none);
  });
}

function addShow(run: Command, does: Does): void {
  const command = run
    .command('show')
    .summary('show a run')
    .description('Shows a run as it stands, and the partners that it tells.')
    .argument('<run>', 'its number', runNumber)
    .action(does(show));
  withExamples(command, 'hms-svc run show 184', 'hms-svc run show 184 --json');
}

async function show({ io, out, connect }: Cli, number: number) {
  const api = await connect('service');
  const { page, aheadMs } = await readRun(api, number, io.nowMs, io.signal);
  out.result(page, () => {
    const look = { nowMs: io.nowMs() + aheadMs, frame: 0 };
    const [, ...lines] = runLines(page, look, out.paint);
    const { author, createdAt, reason } = page;
    out.line(titleLine(page, out.paint));
    out.line(`By ${author} at ${createdAt}${reason === null ? '' : `: ${reason}`}`);
    for (const line of lines) out.line(line);
  });
}
