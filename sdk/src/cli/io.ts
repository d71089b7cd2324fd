import type { Readable } from 'node:stream';

/** What a terminal adds to a stream; a pipe has none of it. */
interface Terminal {
  readonly isTTY?: boolean;
}

/** Everything of the process that the command line touches, so that a test can give its own. */
export interface Io {
  readonly stdin: Readable & Terminal & { readonly setRawMode?: (raw: boolean) => unknown };
  readonly stdout: NodeJS.WritableStream &
    Terminal & { readonly columns?: number; readonly rows?: number };
  readonly stderr: NodeJS.WritableStream & Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; what paths of arguments are relative to. */
  readonly cwd: string;
  /** Aborts with Ctrl-C. */
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly nowMs: () => number;
}
