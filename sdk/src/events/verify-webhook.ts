import { HmsError } from '../api/errors.ts';
import type { DeliveredEvent } from '../wire/event.ts';

/** What came is not from HMS, not for this service, or not of now: answer 401. */
export class WebhookError extends HmsError {
  override readonly name = 'WebhookError';
}

/** Headers as Node has them, as `fetch` has them, or as they are at hand. */
export type WebhookHeaders =
  | Headers
  | Readonly<Record<string, string | readonly string[] | undefined>>;

const toleranceMs = 5 * 60_000;
const encoder = new TextEncoder();

/**
 * The event that HMS sent to a service, when it is signed with its secret, `whsec_…`
 * (https://www.standardwebhooks.com) within 5 minutes from now. Several secrets may be given, while one
 * takes the place of another. `body` is exactly what came. An event may come twice: drop what you have
 * seen, by its id. Errors: `WebhookError`.
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
): Promise<DeliveredEvent> {
  const header = (name: string): string => {
    const value = headers instanceof Headers ? headers.get(name) : headers[name];
    if (typeof value === 'string') return value;
    throw new WebhookError(`There is no header ${name}.`);
  };
  const stamp = header('webhook-timestamp');
  const atMs = /^\d{1,12}$/.test(stamp) ? Number(stamp) * 1000 : Number.NaN;
  if (!(Math.abs(Date.now() - atMs) <= toleranceMs)) {
    throw new WebhookError('It was not signed within 5 minutes from now.');
  }
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const signed = encoder.encode(`${header('webhook-id')}.${stamp}.${text}`);
  const signatures = header('webhook-signature').split(' ');
  for (const each of typeof secret === 'string' ? [secret] : secret) {
    if (await isSigned(signed, signatures, each)) return JSON.parse(text) as DeliveredEvent;
  }
  throw new WebhookError('It is not signed with the secret of this service.');
}

async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  signatures: readonly string[],
  secret: string,
): Promise<boolean> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const raw = bytesOf(secret.replace(/^whsec_/, ''));
  if (raw === undefined || raw.byteLength === 0) {
    throw new WebhookError('The secret is not whsec_ and base64.');
  }
  const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
  for (const signature of signatures) {
    const given = signature.startsWith('v1,') ? bytesOf(signature.slice(3)) : undefined;
    // In a time that tells nothing of the right one.
    if (given !== undefined && (await crypto.subtle.verify('HMAC', key, given, signed)))
      return true;
  }
  return false;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
