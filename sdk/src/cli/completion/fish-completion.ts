import type { CommandNode, OptionWords } from '../command-tree.ts';

/** A script for fish that completes commands and options with what they are for, and values. */
export function fishCompletion(names: readonly string[], nodes: readonly CommandNode[]): string {
  const [root, ...rest] = nodes;
  const tops = root?.commands.map(({ text }) => text).join(' ') ?? '';
  const lines = [
    '# hms-svc completion fish > ~/.config/fish/completions/hms-svc.fish',
    ...names.flatMap((name) => [
      ...(root?.commands ?? []).map(({ text, about }) =>
        line(name, `not __fish_seen_subcommand_from ${tops}`, `-f -a ${text} -d ${quoted(about)}`),
      ),
      ...(root?.options ?? []).map((option) => `complete -c ${name} ${optionWords(option)}`),
      ...rest.flatMap((node) => nodeLines(name, node, root)),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function nodeLines(name: string, node: CommandNode, root: CommandNode | undefined): string[] {
  const seen = node.path
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const children = node.commands.map(({ text }) => text).join(' ');
  const unseen = `${seen}; and not __fish_seen_subcommand_from ${children}`;
  const own = node.options.filter(
    (option) => !(root?.options ?? []).some((one) => isSame(one, option)),
  );
  return [
    ...node.commands.map(({ text, about }) =>
      line(name, unseen, `-f -a ${text} -d ${quoted(about)}`),
    ),
    ...own.map((option) => line(name, seen, optionWords(option))),
  ];
}

function isSame(one: OptionWords, other: OptionWords): boolean {
  return one.flags.join() === other.flags.join();
}

function line(name: string, condition: string, words: string): string {
  return `complete -c ${name} -n ${quoted(condition)} ${words}`;
}

function optionWords({ flags, about, takesValue, values }: OptionWords): string {
  const named = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const value =
    values.length > 0 ? [`-x -a ${quoted(values.join(' '))}`] : takesValue ? ['-r'] : [];
  return [...named, ...value, `-d ${quoted(about)}`].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
