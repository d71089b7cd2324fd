import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GatewayDesk, startGatewayDesk } from '../../support/gateway-desk.ts';
import { exchange } from '../../support/raw-http.ts';
import { type RawService, startRawService } from '../../support/start-raw-service.ts';

const end = '\r\n\r\n';

/** Written by hand: what the service is sent, to the byte. */
describe.each([true, false])('/svc/{name}, raw, past the app: %s', (isFast) => {
  let desk: GatewayDesk;
  let service: RawService;
  let seenBefore = 0;

  beforeAll(async () => {
    desk = await startGatewayDesk({}, { isFast });
    service = await startRawService((socket, received) => {
      const isWhole = received.endsWith(end) || received.endsWith('hello');
      if (isWhole) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    await desk.register({ name: 'all', url: service.origin, routes: ['/'] });
    await desk.register({ name: 'open', url: service.origin, routes: ['/open'] });
  });
  beforeEach(() => {
    seenBefore = service.received.join('').length;
  });
  afterAll(async () => {
    await desk[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  const seen = () => service.received.join('').slice(seenBefore);
  const request = (line: string, ...fields: readonly string[]) =>
    [`${line} HTTP/1.1`, 'Host: localhost', 'Authorization: Bearer service', ...fields].join(
      '\r\n',
    );
  const statusesOf = async (bytes: string, expected = 1) => {
    const { answers } = await exchange(desk.baseUrl, bytes, { expected });
    return answers.map(({ status }) => status);
  };

  it.each([
    '/svc/open/open/../admin',
    '/svc/open/open/%2e%2e/admin',
    '/svc/open/open/.%2E/admin',
    '/svc/open/open/..%2fadmin',
    '/svc/open/open%2f..%2fadmin',
    '/svc/open/open/%2e/admin',
    '/svc/open/open/./x',
    '/svc/open/open/..;/admin',
    '/svc/open/open/..;a=b/admin',
    '/svc/open/open/%252e%252e/admin',
    '/svc/open/open/..%5cadmin',
    '/svc/open/open/a\\..\\admin',
    '/svc/open/open//admin',
    '/svc/open//open',
    '/svc/open/open/%00',
    '/svc/open/open/%0d%0aX-Evil:%20a',
    '/svc/open/open/%zz',
    '/svc/open/open/%2',
    '/svc/open/open#admin',
    '/svc/open/open?a#b',
    '/svc/open/open/"x"',
    '/svc/open/open/{x}',
    '/svc/%6fpen/open',
    '/svc/nobody/../open/open',
    '/svc/x/..%2fopen/open',
  ])('sends nothing for %s', async (path) => {
    const [status] = await statusesOf(request(`GET ${path}`) + end);
    expect([400, 404]).toContain(status);
    expect(seen()).toBe('');
  });

  it.each([
    ['/svc/open/open/a%20b;c=d,e@f:g/~h', '/open/a%20b;c=d,e@f:g/~h'],
    ['/svc/open/open/J%C3%BCrgen', '/open/J%C3%BCrgen'],
    ['/svc/open/open/...', '/open/...'],
    ['/svc/open/open/a..b', '/open/a..b'],
    ['/svc/open/open/50%25', '/open/50%25'],
    ['/svc/open/open/', '/open/'],
    ['/svc/open/open?a=../../b&c[]=%2e{}|"', '/open?a=../../b&c[]=%2e{}|"'],
    ['/svc/open/open??', '/open??'],
  ])('sends %s as it is', async (path, sent) => {
    expect(await statusesOf(request(`GET ${path}`) + end)).toEqual([200]);
    expect(seen().split('\r\n')[0]).toBe(`GET ${sent} HTTP/1.1`);
  });

  it('takes an absolute target for its own, whatever host it names', async () => {
    const line = 'GET http://evil.example/svc/open/open';
    expect(await statusesOf(request(line) + end)).toEqual([200]);
    expect(seen()).toMatch(/^GET \/open HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
    const climbing = 'GET http://evil.example/svc/open/open/../../all/x';
    expect(await statusesOf(request(climbing) + end)).toEqual([200]);
    // It was resolved before anybody looked at it: what was looked at was sent.
    expect(seen()).toContain('GET /x HTTP/1.1');
  });

  const body = 'hello';
  it.each([
    [
      'both lengths',
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      `5\r\n${body}\r\n0${end}`,
    ],
    ['both, the other way', ['Transfer-Encoding: chunked', 'Content-Length: 5'], body],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6'], `${body}!`],
    ['a list of lengths', ['Content-Length: 5, 5'], body],
    ['a coding that is nearly chunked', ['Transfer-Encoding: xchunked'], body],
    ['chunked, but not last', ['Transfer-Encoding: chunked, identity'], `5\r\n${body}\r\n0${end}`],
    ['a space before the colon', ['Transfer-Encoding : chunked'], `5\r\n${body}\r\n0${end}`],
    ['a folded header', ['X-A: b\r\n c: d', 'Content-Length: 5'], body],
    ['NUL in a header', ['X-A: b\0c', 'Content-Length: 5'], body],
    ['a lone CR in a header', ['X-A: b\rX-Evil: c', 'Content-Length: 5'], body],
    ['a header without a name', [': x', 'Content-Length: 5'], body],
  ])('refuses %s', async (_, fields, sent) => {
    const bytes = request('POST /svc/all/x', ...fields) + end + sent;
    expect(await statusesOf(bytes)).toEqual([400]);
    expect(seen()).toBe('');
  });

  it('refuses two hosts', async () => {
    const bytes = request('GET /svc/all/x', 'Host: evil.example') + end;
    const [status] = await statusesOf(bytes);
    // Which of them is meant makes no difference: neither is passed on.
    expect([200, 400]).toContain(status);
    expect(seen()).not.toContain('evil');
  });

  it('frames what was chunked anew, and drops what was said of the frame', async () => {
    const chunked = `2;ext=evil\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: evil${end}`;
    const fields = ['Transfer-Encoding: chunked', 'Trailer: X-Trailer', 'TE: trailers'];
    const bytes = request('POST /svc/all/x', ...fields) + end + chunked;
    await exchange(desk.baseUrl, bytes, { expected: 1, waitMs: 500 });
    expect(seen()).toMatch(/^POST \/x HTTP\/1\.1\r\n/);
    expect(seen()).not.toMatch(/evil|trailer/i);
  });

  it('passes on no header of one hop, nor any that Connection names', async () => {
    const fields = [
      'Connection: keep-alive, X-Hop, Via',
      'Keep-Alive: timeout=5',
      'Proxy-Authorization: Basic YTpi',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'X-Hop: a',
      'X-End: b',
    ];
    expect(await statusesOf(request('GET /svc/all/x', ...fields) + end)).toEqual([200]);
    const names = seen()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(':')[0]?.toLowerCase());
    expect(names).toContain('x-end');
    expect(names).toContain('via');
    for (const name of [
      'keep-alive',
      'proxy-authorization',
      'proxy-connection',
      'te',
      'upgrade',
      'http2-settings',
      'x-hop',
      'authorization',
    ]) {
      expect(names).not.toContain(name);
    }
  });

  it('hides no second request in the body of the first', async () => {
    const hidden = `GET /hidden HTTP/1.1\r\nHost: x${end}`;
    const first = request('PUT /svc/all/first', `Content-Length: ${hidden.length}`) + end + hidden;
    const second = request('GET /svc/all/second') + end;
    expect(await statusesOf(first + second, 2)).toEqual([200, 200]);
    const sent = seen();
    expect(sent.indexOf('PUT /first')).toBeGreaterThanOrEqual(0);
    expect(sent).toContain(`content-length: ${hidden.length}`);
    expect(sent).toContain('GET /second');
  });

  it('takes no body that it did not want for the next request', async () => {
    const hidden = `GET /svc/all/hidden HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer service${end}`;
    for (const path of ['/svc/nobody/x', '/svc/open/admin', '/svc/open/open/../x']) {
      const length = `Content-Length: ${hidden.length}`;
      const bytes =
        request(`POST ${path}`, length) + end + hidden + request('GET /svc/all/y') + end;
      const [first, second, ...more] = await statusesOf(bytes, 2);
      expect([400, 404]).toContain(first);
      expect([second, more]).toEqual([200, []]);
    }
    expect(seen()).not.toContain('hidden');
  });

  it('switches no protocols', async () => {
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    expect(await statusesOf(request('GET /svc/all/x', ...fields) + end)).toEqual([400]);
    expect(seen()).toBe('');
  });

  it.each(['TRACE', 'PROPFIND', 'PURGE'])('refuses %s', async (method) => {
    expect(await statusesOf(request(`${method} /svc/all/x`) + end)).toEqual([405]);
    expect(seen()).toBe('');
  });

  it('opens no tunnel', async () => {
    const { answers, closed } = await exchange(desk.baseUrl, request('CONNECT /svc/all/x') + end);
    expect([answers, closed]).toEqual([[], true]);
    expect(seen()).toBe('');
  });

  it('does not send half a body as if it were whole', async () => {
    const bytes = request('POST /svc/all/x', 'Content-Length: 100000') + end + 'half';
    await exchange(desk.baseUrl, bytes, { waitMs: 200 });
    expect(seen().endsWith('half') || seen() === '').toBe(true);
    const short = request('POST /svc/all/x', 'Content-Length: 100') + end + 'half';
    seenBefore = service.received.join('').length;
    await exchange(desk.baseUrl, short, { waitMs: 200 });
    expect(seen()).toBe('');
  });
});
