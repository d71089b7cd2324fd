export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log: one JSON object a line, with `level`, `time` (RFC 3339) and `msg`.
 * An `Error` among the fields is written with its name, message, code, stack and causes.
 * A field that cannot be written is replaced; logging never throws. Line breaks in values are
 * escaped. Never hand it a token, a secret or the body of a request.
 */
export interface Log {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}
