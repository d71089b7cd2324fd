import type { Command } from 'commander';
import { tokenSource } from '../../api/token-source.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { findSession } from '../session.ts';

export function addToken(program: Command, does: Does): void {
  const command = program
    .command('token')
    .summary('print an access token, for curl')
    .description('Takes an access token and prints it, for curl and other programs.')
    .argument('[client]', 'the same as --as: editor, approver, demo-editor …')
    .action(
      does(async (cli, client: string | undefined) => {
        const globals = program.opts<{ readonly profile?: string; readonly as?: string }>();
        await printToken(cli, { ...globals, as: client ?? globals.as });
      }),
    );
  withExamples(
    command,
    'curl -sS http://127.0.0.1:8787/api/manifest -H "Authorization: Bearer $(hms-svc token service)"',
    'hms-svc token --profile prod',
  );
}

async function printToken({ io, out }: Cli, choice: Parameters<typeof findSession>[1]) {
  const { auth, who, url } = await findSession(io, choice, 'editor');
  const token = await tokenSource(auth, fetch).token();
  out.result({ token, who, url }, () => out.line(token));
}
