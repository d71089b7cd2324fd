import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { path } from '../paths.ts';

interface RuleDiff {
  readonly from: { readonly snapshot: string; readonly version: string };
  readonly to: { readonly snapshot: string; readonly version: string };
  readonly changes: readonly {
    readonly op: 'add' | 'remove' | 'replace';
    readonly pointer: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }[];
}

export function addDiff(program: Command, does: Does): void {
  const command = program
    .command('diff')
    .summary('tell what differs between two rules')
    .description('Tells what differs between two rules, field by field.')
    .argument('<id>', 'the policy')
    .argument('<from>', 'a version, a snapshot, or a channel for what is in force there')
    .argument('<to>', 'likewise')
    .action(does(diff));
  withExamples(
    command,
    'hms-svc diff epa-pm25-limit 1.5.0 2.0.0',
    'hms-svc diff epa-pm25-limit prod test',
  );
}

async function diff(cli: Cli, id: string, from: string, to: string) {
  const api = await cli.connect('service');
  const found = await api.json<RuleDiff>({
    path: path`/api/policies/${id}/diff`,
    query: { from, to },
    signal: cli.io.signal,
  });
  const { out } = cli;
  out.result(found, () => {
    out.line(out.paint('bold', `--- ${found.from.version}  ${found.from.snapshot}`));
    out.line(out.paint('bold', `+++ ${found.to.version}  ${found.to.snapshot}`));
    for (const { op, pointer, before, after } of found.changes) {
      if (op !== 'add') out.line(out.paint('red', `- ${pointer}: ${JSON.stringify(before)}`));
      if (op !== 'remove') out.line(out.paint('green', `+ ${pointer}: ${JSON.stringify(after)}`));
    }
    if (found.changes.length === 0) out.line('They say the same.');
  });
}
