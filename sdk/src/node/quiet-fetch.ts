import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';

/**
 * `fetch`, but for streams of events: those are read over a socket that keeps no process alive, as one
 * of `fetch` would for as long as it is open.
 */
export const quietFetch: typeof fetch = async (input, init) => {
  const headers = new Headers(init?.headers);
  if (headers.get('accept') !== 'text/event-stream') return fetch(input, init);
  return openQuietly(new URL(input instanceof Request ? input.url : input), headers, init?.signal);
};

async function openQuietly(
  url: URL,
  headers: Headers,
  signal: AbortSignal | null | undefined,
): Promise<Response> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    request(url, {
      headers: Object.fromEntries(headers),
      agent: false,
      ...(signal ? { signal } : {}),
    })
      .on('socket', (socket) => socket.unref())
      .on('error', reject)
      .on('response', (message) => {
        const { statusCode = 502, headers: said } = message;
        const body = Readable.toWeb(message) as ReadableStream<Uint8Array>;
        const isEmpty = statusCode === 204 || statusCode === 304;
        const type = said['content-type'] ?? '';
        const wait = said['retry-after'];
        resolve(
          new Response(isEmpty ? null : body, {
            status: statusCode,
            headers: {
              'content-type': type,
              ...(wait === undefined ? {} : { 'retry-after': wait }),
            },
          }),
        );
      })
      .end();
  });
}
