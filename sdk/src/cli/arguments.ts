import { resolve } from 'node:path';
import type { Cli } from './cli.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** A path of the command line, from the folder that it was typed in. */
export function pathOf({ io }: Pick<Cli, 'io'>, file: string): string {
  return resolve(io.cwd, file);
}

/** A reason as a header, which has no room for more than ASCII. Errors: `Failure`. */
export function reasonHeader(reason: string | undefined): string | undefined {
  if (reason === undefined || /^[\x20-\x7e]*$/.test(reason)) return reason;
  throw new Failure(
    exitCodes.usage,
    'The reason goes into a header here: write it in plain ASCII.',
  );
}
