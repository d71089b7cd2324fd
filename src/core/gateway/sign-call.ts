import { createHmac } from 'node:crypto';
import type { HeaderList } from '../../ports/service-caller.ts';
import { type HmacKey, hmacKey, hmacSha256 } from './hmac.ts';
import type { ServicePath } from './service-path.ts';

/** What a signature stands for: who calls, what, and when. Not the body, nor any other header. */
export interface SignedCall extends ServicePath {
  /** Unix seconds. */
  readonly timestampS: number;
  /** `x-request-id`, as the service is sent it; so the three below. */
  readonly requestId: string;
  readonly method: string;
  readonly tenant: string;
  readonly actor: string;
  readonly subject: string;
}

/** Events are signed by the secret itself: what is made for the one is no use for the other. */
const label = 'hms-call-v1';
const secretPrefix = 'whsec_';

/** The key that calls are signed with, of the secret of a service. */
export function callKeyOf(secret: string): HmacKey {
  const bytes = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret;
  return hmacKey(createHmac('sha256', Buffer.from(bytes, 'base64')).update(label).digest());
}

/** The headers by which a service knows a call of ours; none without a key. Any of the keys will do. */
export function signCall(keys: readonly HmacKey[], call: SignedCall): HeaderList {
  if (keys.length === 0) return [];
  const text = signedText(call);
  const signatures = keys.map((key) => `v1,${hmacSha256(key, text)}`);
  return [
    ['x-hms-timestamp', String(call.timestampS)],
    ['x-hms-signature', signatures.join(' ')],
  ];
}

/** One line each: none of them can have a line break in it. */
function signedText(call: SignedCall): string {
  const { timestampS, requestId, method, path, query, tenant, actor, subject } = call;
  return [
    timestampS,
    requestId,
    method,
    normalPath(path === '' ? '/' : path),
    normalQuery(query),
    tenant,
    actor,
    subject,
  ].join('\n');
}

const plainPath = /^[A-Za-z0-9._~/-]*$/;

/**
 * Servers on the way write escapes, and put a query in order, their own way: so both are signed in
 * one form, much as AWS Signature Version 4 has it.
 */
function normalPath(path: string): string {
  return plainPath.test(path) ? path : path.split('/').map(escaped).join('/');
}

/** Sorted by name; of those with the same name, the order says something. */
function normalQuery(query: string): string {
  if (query.length <= 1) return '';
  return query
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.replaceAll('+', '%20').split('=');
      return [escaped(name), escaped(value.join('='))] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map((pair) => pair.join('='))
    .join('&');
}

const unreserved = /[A-Za-z0-9._~-]/;

/** All but `A-Z a-z 0-9 - . _ ~` as `%XX`, whatever it came as. */
function escaped(text: string): string {
  return text.replaceAll(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~-]/g, (found) => {
    const code = found.length === 3 ? Number.parseInt(found.slice(1), 16) : found.charCodeAt(0);
    const char = String.fromCharCode(code);
    if (unreserved.test(char)) return char;
    return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
