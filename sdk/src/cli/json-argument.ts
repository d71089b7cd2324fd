import { readFile } from 'node:fs/promises';
import { pathOf } from './arguments.ts';
import type { Cli } from './cli.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { readAll } from './read-input.ts';

/**
 * JSON as it stands on the command line, of a file by `@FILE`, or of standard input by `-`.
 * Errors: `Failure` for what is no JSON, or cannot be read.
 */
export async function jsonArgument(cli: Cli, text: string): Promise<unknown> {
  const source = await textArgument(cli, text);
  try {
    return JSON.parse(source) as unknown;
  } catch (cause) {
    const { message } = cause as Error;
    const next = ['Quote it for the shell: \'{"lat": 38.5}\', or name a file: @data.json'];
    throw new Failure(exitCodes.usage, `That is no JSON: ${message}`, next, { cause });
  }
}

async function textArgument(cli: Cli, text: string): Promise<string> {
  if (text === '-') return (await readAll(cli.io.stdin)).toString('utf8');
  if (!text.startsWith('@')) return text;
  return (await readBytes(cli, text.slice(1))).toString('utf8');
}

/** A file of the command line, or standard input by `-`. Errors: `Failure`. */
export async function readBytes(cli: Cli, file: string): Promise<Buffer> {
  if (file === '-') return readAll(cli.io.stdin);
  return readFile(pathOf(cli, file)).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new Failure(exitCodes.usage, `Cannot read ${file}: ${why}.`, [], { cause });
  });
}
