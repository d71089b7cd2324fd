import { type ErrorDetail, Unprocessable } from '../errors/app-error.ts';
import { packageLimits } from './package-limits.ts';
import { TextLines } from './text-lines.ts';

/** The way from the root to a value; undefined is the root. */
export interface YamlPath {
  readonly parent: YamlPath | undefined;
  readonly key: string | number;
}

/** What is wrong with a YAML text, collected so that its author sees all of it at once. */
export class YamlFindings {
  readonly #text: string;
  readonly #details: ErrorDetail[] = [];
  #lines: TextLines | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Notes a finding; with the 20th, throws. */
  add(offset: number, what: string, path?: YamlPath): void {
    this.#lines ??= new TextLines(this.#text);
    const { line, column } = this.#lines.at(offset);
    const detail = `line ${line}, column ${column}: ${cut(what)}`;
    this.#details.push({ pointer: pointerTo(path), detail });
    if (this.#details.length >= packageLimits.maxFindings) this.throwIfAny();
  }

  /** For what makes reading on pointless or costly. */
  refuse(offset: number, what: string, path?: YamlPath): never {
    this.add(offset, what, path);
    throw refusal(this.#details);
  }

  /** Throws `Unprocessable` with all findings, if there are any. */
  throwIfAny(): void {
    if (this.#details.length > 0) throw refusal(this.#details);
  }
}

function refusal(details: readonly ErrorDetail[]): Unprocessable {
  const first = details[0]?.detail ?? '';
  const rest = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  return new Unprocessable('invalid_policy', `The YAML is refused. ${first}${rest}`, details);
}

/** A finding may quote its input, which may be a lot. */
function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300).toWellFormed()}…` : text;
}

/** RFC 6901. To the value, or, where keys are absurdly long, to the nearest value around it. */
export function pointerTo(path: YamlPath | undefined): string {
  const tokens: string[] = [];
  for (let at = path; at !== undefined; at = at.parent) {
    tokens.push(`/${String(at.key).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
  let pointer = '';
  for (const token of tokens.reverse()) {
    if (pointer.length + token.length > 1000) break;
    pointer += token;
  }
  return pointer;
}
