import type { Command, Option } from 'commander';

/** A word that may be typed, and what it is for. */
export interface Word {
  readonly text: string;
  readonly about: string;
}

/** What may follow a command, as the program itself has it. */
export interface CommandNode {
  /** From the program on, without it: `run watch`; empty for itself. */
  readonly path: string;
  readonly about: string;
  readonly commands: readonly Word[];
  readonly options: readonly OptionWords[];
  /** Whether files may follow. */
  readonly takesFiles: boolean;
}

export interface OptionWords {
  readonly flags: readonly string[];
  readonly about: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

/** Every command of a program, itself first. */
export function commandNodes(program: Command): readonly CommandNode[] {
  const globals = program.options.map(wordsOf);
  const visit = (command: Command, path: string): CommandNode[] => {
    const help = command.createHelp();
    const children = help.visibleCommands(command).filter((child) => child.name() !== 'help');
    const node: CommandNode = {
      path,
      about: command.summary() || command.description(),
      commands: children.map((child) => ({ text: child.name(), about: child.summary() })),
      options: [...(command === program ? [] : command.options.map(wordsOf)), ...globals],
      takesFiles: command.registeredArguments.some(({ description }) =>
        /\b(?:file|ZIP|PDF|manifest|PEM)\b/i.test(description),
      ),
    };
    return [node, ...children.flatMap((child) => visit(child, `${path} ${child.name()}`.trim()))];
  };
  return visit(program, '');
}

function wordsOf(option: Option): OptionWords {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    about: option.description,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? [],
  };
}
