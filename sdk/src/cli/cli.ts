import type { Api } from '../api/api.ts';
import type { Io } from './io.ts';
import type { Output } from './output.ts';
import type { Role, Session } from './session.ts';

/** What a command works with. */
export interface Cli {
  readonly io: Io;
  readonly out: Output;
  /** The service as the one that such a command is for. Errors: `Failure` without credentials. */
  readonly connect: (role: Role) => Promise<Api>;
  /** Where that is and who it is, without a call. */
  readonly session: (role: Role) => Promise<Session>;
}

/**
 * Makes an action of commander out of what a command does. It is done (0) unless it answers another
 * exit code.
 */
export type Does = <Args extends readonly unknown[]>(
  work: (cli: Cli, ...args: Args) => Promise<number | void>,
) => (...args: Args) => Promise<void>;
