import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';

import type { CheckedAddress } from './public-address.ts';

/**
 * A URL that others named and that may be called: `https:` or `http:`, without a user, and with no
 * port of a system service but the default one. Undefined for all else.
 */
export function usableUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  // A URL does not write the default port of its protocol.
  return url.port === '' || Number(url.port) > 1023 ? url : undefined;
}

export interface CheckedRequest {
  readonly url: URL;
  /** Of the host in the URL: it connects to this one, and to nothing that the name leads to later. */
  readonly address: CheckedAddress;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * Sends one request, on a connection of its own. Resolves with the head of the answer; its body is
 * left to the caller, who destroys it. Errors: whatever keeps the head from coming.
 */
export async function checkedRequest({
  url,
  address: { address, family },
  method,
  headers,
  body,
  signal,
}: CheckedRequest): Promise<http.IncomingMessage> {
  const { request } = url.protocol === 'http:' ? http : https;
  const sent = request(url, {
    method,
    headers,
    signal,
    agent: false,
    lookup: (_, { all }, done) => {
      if (all === true) done(null, [{ address, family }]);
      else done(null, address, family);
    },
  });
  const ended = Promise.withResolvers<never>();
  sent.on('error', ended.reject);
  sent.on('close', () => ended.reject(new Error('closed without an answer')));
  sent.end(body);
  const answered = once(sent, 'response', { signal });
  const [response] = await Promise.race([answered, ended.promise]);
  return response;
}

export function isSuccess({ statusCode = 0 }: http.IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}
