import { InvalidRequest } from '../core/errors/app-error.ts';

/** Cursors are opaque to callers: base64url of a position, which means nothing across lists. */
export function encodeCursor(position: string | null): string | null {
  return position === null ? null : Buffer.from(position, 'utf8').toString('base64url');
}

/** The position that a cursor stands for. A cursor that we did not make is refused. */
export function decodeCursor(cursor: string | undefined, shape: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  if (shape.test(position)) return position;
  throw new InvalidRequest('The cursor is not one of this list.', [
    { pointer: 'query:cursor', detail: 'send `next` of the page before, unchanged' },
  ]);
}
