import type { CommandNode } from '../command-tree.ts';

/** A script for zsh that completes commands, options with what they are for, their values, and files. */
export function zshCompletion(names: readonly string[], nodes: readonly CommandNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  const cases = nodes.map((node) => `    ${quoted(node.path)})\n${described(node)}\n      ;;`);
  const values = nodes.flatMap(valueCases);
  return `#compdef ${names.join(' ')}
# hms-svc completion zsh > "\${fpath[1]}/_hms-svc"
_hms_svc() {
  local place='' word
  local -a commands options values
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
      ${paths.join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place:\${words[CURRENT-1]}" in
${[...new Set(values)].join('\n')}
  esac
  if (( \${#values} )); then
    compadd -a values
    return
  fi
  case "$place" in
${cases.join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option options
  else
    (( \${#commands} )) && _describe command commands
    _files
  fi
}
compdef _hms_svc ${names.join(' ')}
`;
}

function described({ commands, options }: CommandNode): string {
  const command = commands.map(({ text, about }) => quoted(`${text}:${about}`));
  const option = options.flatMap(({ flags, about }) =>
    flags.map((flag) => quoted(`${flag}:${about}`)),
  );
  return `      commands=(${command.join(' ')})\n      options=(${option.join(' ')})`;
}

function valueCases({ path, options }: CommandNode): string[] {
  return options
    .filter(({ values }) => values.length > 0)
    .flatMap(({ flags, values }) =>
      flags.map((flag) => `    ${quoted(`${path}:${flag}`)}) values=(${values.join(' ')}) ;;`),
    );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
