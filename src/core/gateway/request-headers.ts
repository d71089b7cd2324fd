import type { HeaderList } from '../../ports/service-caller.ts';
import { InvalidRequest } from '../errors/app-error.ts';
import type { CallOrigin, GatewayCall } from './gateway-call.ts';
import type { HmacKey } from './hmac.ts';
import { endToEnd, viaWithUs } from './hop-by-hop.ts';
import type { ServicePath } from './service-path.ts';
import { signCall } from './sign-call.ts';
import type { TraceContext } from '../tracing/trace-context.ts';

/**
 * What a caller must not tell a service: what we say ourselves, what was meant for us, and what
 * makes some frameworks take the call for another one than was held against the routes.
 */
const notPassedOn: ReadonlySet<string> = new Set([
  'authorization',
  // Of our own origin: services share it, and have no business with each other's.
  'cookie',
  'forwarded',
  'host',
  'traceparent',
  'tracestate',
  'via',
  'x-client-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-request-id',
  'x-rewrite-url',
]);
const notPassedOnPrefixes = ['x-hms-', 'x-forwarded-'];

/** Visible characters, and white space within; bytes beyond ASCII mean what they mean to the service. */
const soundValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `x-hms-timeout-ms` of the caller; Infinity without one. Errors: `InvalidRequest`. */
export function timeoutOfCaller(headers: HeaderList): number {
  const given = headers.find(([name]) => name === timeoutHeader)?.[1];
  if (given === undefined) return Infinity;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new InvalidRequest('The timeout is not one.', [
    { pointer: `header:${timeoutHeader}`, detail: 'must be a number of ms, from 1 up' },
  ]);
}

const timeoutHeader = 'x-hms-timeout-ms';

/** Errors: `InvalidRequest` for a value with control characters. */
export function requireSoundHeaders(headers: HeaderList): void {
  for (const [name, value] of headers) {
    if (soundValue.test(value)) continue;
    throw new InvalidRequest('A header has control characters in it.', [
      { pointer: `header:${name.slice(0, 100)}`, detail: 'leave them out' },
    ]);
  }
}

/** What a call is signed with and for, besides who makes it. */
export interface CallSigning extends ServicePath {
  readonly keys: readonly HmacKey[];
  readonly nowMs: number;
}

/**
 * What a service is sent with a call: the caller's end-to-end headers, but for those that we speak
 * for; who calls, as the token says; how long the caller will wait; and, where the service has a
 * key, a signature of ours.
 */
export function headersToService(
  { headers, principal, requestId, from, method }: GatewayCall,
  trace: TraceContext,
  timeoutMs: number,
  { keys, nowMs, path, query }: CallSigning,
): HeaderList {
  const tenant = headerText(principal.tenant);
  const actor = headerText(principal.actor);
  const subject = headerText(principal.subject);
  const timestampS = Math.floor(nowMs / 1000);
  return [
    ...endToEnd(headers).filter(([name]) => isPassedOn(name)),
    ['via', viaWithUs(headers)],
    ...forwarded(from),
    ['x-request-id', requestId],
    ['traceparent', trace.traceparent],
    ...(trace.tracestate === null ? [] : [['tracestate', trace.tracestate] as const]),
    ['x-hms-tenant', tenant],
    ['x-hms-actor', actor],
    ['x-hms-subject', subject],
    [timeoutHeader, String(Math.ceil(timeoutMs))],
    ...signCall(keys, { timestampS, requestId, method, path, query, tenant, actor, subject }),
  ];
}

function isPassedOn(given: string): boolean {
  // Where headers become variables (CGI, WSGI), a _ is taken for a -.
  const name = given.includes('_') ? given.replaceAll('_', '-') : given;
  return !notPassedOn.has(name) && !notPassedOnPrefixes.some((prefix) => name.startsWith(prefix));
}

/** RFC 7239, and what came before it. */
function forwarded({ address, scheme, host }: CallOrigin): HeaderList {
  const by = address?.replace(/^::ffff:(?=\d+\.)/i, '');
  const node = by === undefined ? 'unknown' : by.includes(':') ? `"[${by}]"` : by;
  return [
    ['forwarded', `for=${node};host="${host}";proto=${scheme}`],
    ...(by === undefined ? [] : [['x-forwarded-for', by] as const]),
    ['x-forwarded-host', host],
    ['x-forwarded-proto', scheme],
  ];
}

/** Anything as a header: what is not visible ASCII, and `%`, in percent-encoded UTF-8. */
function headerText(text: string): string {
  if (/^[\x21-\x24\x26-\x7e]*$/.test(text)) return text;
  return text.toWellFormed().replaceAll(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}
