import { createHmac } from 'node:crypto';
import { isRecent, isSigned, secretBytes } from './signatures.ts';

/**
 * Whether a call comes from the gateway of HMS, at most five minutes ago: then `X-Hms-Tenant`,
 * `X-Hms-Actor` and `X-Hms-Subject` say who calls it. The body is not signed. docs/services.md of
 * HMS says how it is made.
 */
export function verifyCall(secret: string | undefined, { url, method, headers }: Request): boolean {
  const header = (name: string): string => headers.get(name) ?? '';
  const timestamp = header('x-hms-timestamp');
  if (secret === undefined || !isRecent(timestamp)) return false;
  const { pathname, search } = new URL(url);
  const signed = [
    timestamp,
    header('x-request-id'),
    method,
    pathname.split('/').map(escaped).join('/'),
    sorted(search.slice(1)),
    header('x-hms-tenant'),
    header('x-hms-actor'),
    header('x-hms-subject'),
  ];
  // Not the secret itself: events are signed with that.
  const key = createHmac('sha256', secretBytes(secret)).update('hms-call-v1').digest();
  return isSigned(header('x-hms-signature'), key, signed.join('\n'));
}

/** Servers on the way write a query their own way: it is signed sorted by name, in one form. */
function sorted(query: string): string {
  return query
    .replaceAll('+', '%20')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [escaped(name), escaped(value.join('='))] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map((pair) => pair.join('='))
    .join('&');
}

/** All but `A-Z a-z 0-9 - . _ ~` as `%XX`, whatever it came as. */
function escaped(text: string): string {
  return text.replaceAll(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~-]/g, (found) => {
    const code = found.length === 3 ? Number.parseInt(found.slice(1), 16) : found.charCodeAt(0);
    const char = String.fromCharCode(code);
    if (/[A-Za-z0-9._~-]/.test(char)) return char;
    return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
