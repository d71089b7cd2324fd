import { stripVTControlCharacters, styleText } from 'node:util';
import type { Io } from './io.ts';

export type Style = Parameters<typeof styleText>[0];

/** What a command says: to people, or with `--json` to programs. */
export interface Output {
  /** People get nothing on standard output: one JSON document, or one a line for what goes on. */
  readonly isJson: boolean;
  /** Standard output is a terminal, and shows what goes on as it does. */
  readonly isLive: boolean;
  /** A line on standard output. Control characters that are no colour are left out. */
  readonly line: (text?: string) => void;
  /** A line on standard error: for people beside the result. Silent with `--json`. */
  readonly note: (text: string) => void;
  /** The one document of the command: `value` with `--json`, else what `human` writes. */
  readonly result: (value: unknown, human: () => void) => void;
  /** The same for each thing of a stream, as JSON lines. */
  readonly item: (value: unknown, human: () => void) => void;
  readonly paint: (style: Style, text: string) => string;
}

export function createOutput({ stdout, stderr, env }: Io, isJson: boolean): Output {
  const { isTTY: isTerminal = false, rows } = stdout;
  const coloured = !isJson && wantsColour(env, isTerminal);
  const write = (text: string) => void stdout.write(`${text}\n`);
  return {
    isJson,
    isLive: isTerminal && !isJson && rows !== 0 && env['TERM'] !== 'dumb',
    line: (text = '') => write(plain(text, coloured)),
    note: (text) => {
      if (!isJson) stderr.write(`${plain(text, false)}\n`);
    },
    result: (value, human) => (isJson ? write(JSON.stringify(value, undefined, 2)) : human()),
    item: (value, human) => (isJson ? write(JSON.stringify(value)) : human()),
    paint: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** https://no-color.org, and `FORCE_COLOR` as Node has it. */
function wantsColour(env: Io['env'], isTerminal: boolean): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const { FORCE_COLOR: forced } = env;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

// oxlint-disable-next-line no-control-regex
const colour = /(\x1b\[[\d;]*m)/;
// oxlint-disable-next-line no-control-regex
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]+/;

/** What others wrote must not move the cursor, or retitle the window, of who reads it. */
export function plain(text: string, coloured: boolean): string {
  if (!controls.test(text)) return text;
  const parts = coloured ? text.split(colour) : [stripVTControlCharacters(text)];
  const cut = (part: string) => part.split(controls).join('');
  // What `split` captured is at the odd places.
  return parts.map((part, place) => (place % 2 === 1 ? part : cut(part))).join('');
}
