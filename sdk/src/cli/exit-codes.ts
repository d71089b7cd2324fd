/** What scripts branch on. Documented in docs/cli.md and in `--help`. */
export const exitCodes = {
  done: 0,
  /** The service, or a check, said no: nothing was changed. */
  refused: 1,
  /** The command line, or a file that it names, cannot be understood. */
  usage: 2,
  notFound: 3,
  /** No token, or one that does not permit it. */
  notAllowed: 4,
  /** No answer, or not now: the same command may succeed later. */
  unreachable: 5,
  /** What was watched ended otherwise than hoped for: rolled back, rejected, aborted, dead … */
  endedBadly: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `Exit codes:
  0  done
  1  refused, or failed
  2  the command line, or a file that it names, is not understood
  3  no such thing
  4  not allowed: no token, or one without the scope
  5  the service is not reachable, or busy: try again later
  6  what was watched ended badly: rolled back, rejected, aborted, expired, dead
  130  interrupted`;
