import { Unavailable } from '../../core/errors/app-error.ts';

/** https://www.sqlite.org/rescode.html: what the surroundings cause, not the statement. */
const busy = 5;
const surroundings = new Set([busy, 6, 7, 8, 10, 13, 14]); // locked, nomem, readonly, ioerr, full, cantopen

export function isSqliteBusy(error: unknown): boolean {
  return primaryCode(error) === busy;
}

/**
 * The one place where an error of SQLite becomes one of ours, which says what did not answer. Others
 * pass as they came.
 */
export function translateSqliteError(error: unknown, service: string): unknown {
  const code = primaryCode(error);
  if (code === undefined || !surroundings.has(code)) return error;
  return new Unavailable(`${service} did not answer.`, error);
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
