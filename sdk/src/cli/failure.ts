import type { ExitCode } from './exit-codes.ts';

/** A command that cannot go on: what is wrong, and what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;
  /** Commands to run, or things to do; the most likely first. */
  readonly next: readonly string[];

  constructor(
    exitCode: ExitCode,
    message: string,
    next: readonly string[] = [],
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.next = next;
  }
}
