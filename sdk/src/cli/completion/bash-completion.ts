import type { CommandNode } from '../command-tree.ts';

/** A script for bash that completes commands, options, their values, and files. */
export function bashCompletion(names: readonly string[], nodes: readonly CommandNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const words = nodes.map((node) => `    '${node.path}') words='${wordsAfter(node)}' ;;`);
  const values = nodes.flatMap(valueCases);
  return `# hms-svc completion bash > ~/.local/share/bash-completion/completions/hms-svc
_hms_svc() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' word words values=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path:$before" in
${[...new Set(values)].join('\n')}
  esac
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    return
  fi
  case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _hms_svc ${names.join(' ')}
`;
}

function wordsAfter({ commands, options }: CommandNode): string {
  return [...commands.map(({ text }) => text), ...options.flatMap(({ flags }) => flags)].join(' ');
}

function valueCases({ path, options }: CommandNode): string[] {
  return options
    .filter(({ values }) => values.length > 0)
    .flatMap(({ flags, values }) =>
      flags.map((flag) => `    '${path}:${flag}') values='${values.join(' ')}' ;;`),
    );
}
