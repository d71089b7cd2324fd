import type { Ids } from '../ports/ids.ts';

const shape = /^[A-Za-z0-9._-]{1,128}$/;

/** The caller's `x-request-id`, where it is fit to be written down; else a new one. */
export function requestIdOf(given: string | null | undefined, ids: Ids): string {
  return typeof given === 'string' && shape.test(given) ? given : ids.next();
}
