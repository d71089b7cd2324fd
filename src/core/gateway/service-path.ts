import { InvalidRequest } from '../errors/app-error.ts';

/** What a call asks of a service: both parts go out as they came in. */
export interface ServicePath {
  /** Empty, or with a slash first. */
  readonly path: string;
  /** Empty, or with its question mark. */
  readonly query: string;
}

const plainPath = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?$/;
/** Slashes, backslashes, dots and controls, also escaped twice. */
const hiddenCharacter = /%(?:2[ef]|5c|[01][0-9a-f]|7f|25(?:2[ef]|5c))/i;
const plainQuery = /^[\x21\x22\x24-\x7e]*$/;

/**
 * Splits what follows the name of a service. Only a path that no two readers take for different
 * ones: what is held against the routes is what the service then sees.
 * Errors: `InvalidRequest`.
 */
export function parseServicePath(target: string): ServicePath {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (!plainPath.test(path)) throw unclear('has characters that must be escaped');
  if (hiddenCharacter.test(path)) throw unclear('hides a slash, a dot or a control in an escape');
  if (path.includes('//')) throw unclear('has an empty segment');
  // Some servers take what follows a semicolon off, and then climb.
  if (path.split('/').some((segment) => /^\.\.?(?:;|$)/.test(segment))) {
    throw unclear('has a . or .. in it');
  }
  if (!plainQuery.test(query)) throw unclear('has a query with characters that must be escaped');
  return { path, query };
}

function unclear(detail: string): InvalidRequest {
  return new InvalidRequest('The path is not a plain one.', [{ pointer: 'path:path', detail }]);
}

/** Whether a path is one of the routes, or below one. */
export function isRouted(routes: readonly string[], path: string): boolean {
  return routes.some(
    (route) =>
      route === '/' || path === route || (path.startsWith(route) && path[route.length] === '/'),
  );
}
