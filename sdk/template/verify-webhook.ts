import { isRecent, isSigned, secretBytes } from './signatures.ts';

/**
 * Whether the body of an event was signed with our secret, at most five minutes ago.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function verifyWebhook(
  secret: string | undefined,
  headers: Headers,
  body: Uint8Array,
): boolean {
  const id = headers.get('webhook-id') ?? '';
  const timestamp = headers.get('webhook-timestamp') ?? '';
  if (secret === undefined || id === '' || !isRecent(timestamp)) return false;
  const signatures = headers.get('webhook-signature') ?? '';
  return isSigned(signatures, secretBytes(secret), `${id}.${timestamp}.`, body);
}
