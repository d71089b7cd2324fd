import type { Command } from 'commander';

/** Puts examples under the help of a command; each is a whole command line, or a comment. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  const shown = lines.map((line) => (line.startsWith('#') ? `  ${line}` : `  $ ${line}`));
  return command.addHelpText('after', `\nExamples:\n${shown.join('\n')}`);
}
