import { Argument, type Command } from 'commander';
import type { Does } from '../cli.ts';
import { commandNodes } from '../command-tree.ts';
import { bashCompletion } from '../completion/bash-completion.ts';
import { fishCompletion } from '../completion/fish-completion.ts';
import { zshCompletion } from '../completion/zsh-completion.ts';
import { withExamples } from '../examples.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
/** Both names of the program. */
const names = ['hms-svc', 'hms'];

export function addCompletion(program: Command, does: Does): void {
  const command = program
    .command('completion')
    .summary('write a script that completes commands in your shell')
    .description('Writes a script that has your shell complete commands, options and their values.')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .action(
      does(async ({ out }, shell: keyof typeof shells) => {
        out.line(shells[shell](names, commandNodes(program)).trimEnd());
      }),
    );
  withExamples(
    command,
    'source <(hms-svc completion bash)',
    'hms-svc completion zsh > "${fpath[1]}/_hms-svc"',
    'hms-svc completion fish > ~/.config/fish/completions/hms-svc.fish',
  );
}
