import type { IncomingMessage } from 'node:http';

import { Webhook } from 'standardwebhooks';

import type { Attempt, Notice, PartnerTransport } from '../../ports/partner-transport.ts';
import { attemptTimeoutMs, failed, failedBy, withinTime } from './attempt-failed.ts';
import { checkedRequest, isSuccess, usableUrl } from './checked-request.ts';
import {
  addressCheck,
  type CheckAddress,
  type CheckedAddress,
  type ReachableNetworks,
  type Resolve,
} from './public-address.ts';

export interface WebhookTransportOptions {
  readonly networks: ReachableNetworks;
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
}

const maxAnswerBytes = 64 * 1024;

/**
 * Notices as Standard Webhooks: one POST of the body, signed
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 *
 * 2xx: delivered; with the JSON `{"acknowledged":true}` as answer: acked. 410: gone. All else
 * failed, redirects too: they are not followed. It connects to the very address that it checked.
 * `http:` only to private networks, where those are allowed. Errors: a network that is no CIDR.
 */
export function webhookTransport(options: WebhookTransportOptions): PartnerTransport {
  const { networks, resolve, timeoutMs = attemptTimeoutMs } = options;
  const check = addressCheck(networks, resolve);
  return {
    async send(target, secret, notice) {
      if (target.kind !== 'webhook') throw new TypeError(`no webhook: ${target.kind}`);
      const url = usableUrl(target.url);
      if (url === undefined) {
        return failed('The URL cannot be used: put the partner again with another one.');
      }
      const headers = signedHeaders(secret, notice);
      if (headers === undefined) {
        return failed('The secret is missing or broken: put the partner again with one.');
      }
      const soFar = { attempt: failed('No answer in time.') };
      return await withinTime(
        timeoutMs,
        () => soFar.attempt,
        (signal) => post({ url, headers, body: notice.body, check, signal, soFar }),
      );
    },
  };
}

function signedHeaders(
  secret: string | undefined,
  { id, timestampS, body, traceparent }: Notice,
): Record<string, string> | undefined {
  if (secret === undefined) return undefined;
  try {
    return {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'hms-svc',
      ...(traceparent === undefined ? {} : { traceparent }),
      'webhook-id': id,
      'webhook-timestamp': String(timestampS),
      'webhook-signature': new Webhook(secret).sign(id, new Date(timestampS * 1000), body),
    };
  } catch {
    // Not as the cause of anything: it may quote the secret.
    return undefined;
  }
}

interface Post {
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly check: CheckAddress;
  readonly signal: AbortSignal;
  /** The outcome if time were over now: the status may be there long before the answer is read. */
  readonly soFar: { attempt: Attempt };
}

async function post({ url, headers, body, check, signal, soFar }: Post): Promise<Attempt> {
  let address: CheckedAddress | undefined;
  try {
    address = await check(url.hostname);
  } catch (error) {
    return failedBy('The host name could not be resolved', error);
  }
  if (signal.aborted) return soFar.attempt;
  if (address === undefined) return failed('The host leads to an address that is not public.');
  if (url.protocol === 'http:' && address.isPublic) return failed('A public host needs https.');
  try {
    const method = 'POST';
    const response = await checkedRequest({ url, address, method, headers, body, signal });
    soFar.attempt = attemptOf(response, '');
    const answer = isSuccess(response) ? await answerOf(response) : '';
    response.destroy();
    return attemptOf(response, answer);
  } catch (error) {
    return failedBy('No answer', error);
  }
}

/** The text of the answer; empty when it is too long, or breaks off: the status has come. */
async function answerOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxAnswerBytes) return '';
      chunks.push(chunk);
    }
  } catch {
    return '';
  }
  return Buffer.concat(chunks).toString();
}

function attemptOf(response: IncomingMessage, answer: string): Attempt {
  const { statusCode = 0 } = response;
  const detail = `HTTP ${statusCode}`;
  if (statusCode === 410) return { outcome: 'gone', detail };
  if (statusCode >= 300 && statusCode < 400) {
    return failed(`${detail}: redirects are not followed; put the partner with the last URL.`);
  }
  if (!isSuccess(response)) return failed(detail);
  return { outcome: isAcknowledged(answer) ? 'acked' : 'delivered', detail };
}

function isAcknowledged(answer: string): boolean {
  try {
    const value: unknown = JSON.parse(answer);
    return (
      typeof value === 'object' &&
      value !== null &&
      'acknowledged' in value &&
      value.acknowledged === true
    );
  } catch {
    return false;
  }
}
