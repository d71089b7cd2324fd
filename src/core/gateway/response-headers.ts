import type { HeaderList } from '../../ports/service-caller.ts';
import { endToEnd, viaWithUs } from './hop-by-hop.ts';

/**
 * What one service must not say for the origin that it shares with all others and with us: cookies
 * would be sent to all of them, and the rest would change how browsers treat every one.
 */
const notPassedOn: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'location',
  'public-key-pins',
  'public-key-pins-report-only',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
  'via',
]);

/** Where a target is, as far as addresses in its answers are concerned. */
export interface TargetPlace {
  readonly origin: string;
  /** Before the path of a call: empty, or with a slash first and none at its end. */
  readonly basePath: string;
}

/** What the caller gets of the headers of an answer. A name that came several times is one list. */
export function headersToCaller(
  headers: HeaderList,
  location: string | null,
  /** Of HEAD: the length is that of a body which does not come. */
  keepsLength: boolean,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of endToEnd(headers)) {
    if (notPassedOn.has(name)) continue;
    passed[name] = Object.hasOwn(passed, name) ? `${passed[name]}, ${value}` : value;
  }
  const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  if (keepsLength && length !== undefined) passed['content-length'] = length;
  passed['via'] = viaWithUs(headers);
  if (location !== null) passed['location'] = location;
  return passed;
}

/**
 * `Location`, as the caller can follow it: what is within one of the service's targets leads through
 * the gateway, all else where it led. Null: there is none, or it is no address.
 */
export function locationToCaller(
  headers: HeaderList,
  service: string,
  /** Of the call that was answered. */
  calledUrl: string,
  targets: readonly TargetPlace[],
): string | null {
  const given = headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
  const url = given === undefined ? null : URL.parse(given, calledUrl);
  if (url === null) return null;
  const within = targets.find(
    ({ origin, basePath }) =>
      url.origin === origin &&
      (url.pathname === basePath || url.pathname.startsWith(`${basePath}/`)),
  );
  if (within === undefined) return url.href;
  return `/svc/${service}${url.pathname.slice(within.basePath.length)}${url.search}${url.hash}`;
}
