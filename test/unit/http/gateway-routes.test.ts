import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyCall } from '../../../sdk/template/verify-call.ts';
import { newSigningSecret } from '../../../src/core/events/signing-secret.ts';
import type { RateLimiter } from '../../../src/ports/rate-limiter.ts';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import {
  type GatewayDesk,
  register,
  someManifest,
  startGatewayDesk,
} from '../../support/gateway-desk.ts';
import { startService, type TestService } from '../../support/start-service.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const isNear150 = (ms: number) => ms > 100 && ms <= 150;

describe.each([true, false])('/svc/{name}, past the app: %s', (isFast) => {
  let desk: GatewayDesk;
  let service: TestService;
  let seen: Seen[];
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeEach(async () => {
    seen = [];
    answer = (response) => void response.end('ok');
    desk = await startGatewayDesk({}, { isFast });
    service = await startService(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(response, request);
    });
    await desk.register({ url: service.origin, routes: ['/check', '/deep/er'] });
  });
  afterEach(async () => {
    await desk[Symbol.asyncDispose]();
    await service.stop();
  });

  const problemOf = async (response: Response) => {
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    return problemSchema.parse(await response.json());
  };

  it('reaches the service, whatever the method, and answers what it answers', async () => {
    answer = (response) => void response.writeHead(418, { 'x-tea': 'green' }).end('short');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const body = method === 'GET' ? {} : { body: 'milk' };
      const response = await desk.call('/svc/check/check/a?b=c&b=%20', { method, ...body });
      expect([response.status, await response.text()]).toEqual([418, 'short']);
      expect(response.headers.get('x-tea')).toBe('green');
    }
    expect(seen.map(({ method, url, body }) => [method, url, body])).toEqual(
      ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => [
        method,
        '/check/a?b=c&b=%20',
        method === 'GET' ? '' : 'milk',
      ]),
    );
    const told = desk.deps.metrics.told.filter(([name]) => name === 'requestDone');
    expect(told.map(([, operation, status]) => [operation, status])).toEqual(
      Array.from({ length: 6 }, () => ['callService', 418]),
    );
  });

  it('answers HEAD with the length, and no body', async () => {
    answer = (response, request) => {
      response.setHeader('content-length', '5');
      response.end(request.method === 'HEAD' ? undefined : '12345');
    };
    const response = await desk.call('/svc/check/check', { method: 'HEAD' });
    expect(seen[0]?.method).toBe('HEAD');
    expect(response.headers.get('content-length')).toBe('5');
    expect(await response.text()).toBe('');
  });

  it.each([
    ['/svc/check', '/base'],
    ['/svc/check/', '/base/'],
    ['/svc/check?x', '/base?x'],
    ['/svc/check/a', '/base/a'],
  ])('%s is for %s of a service with a path of its own', async (path, url) => {
    await desk.register({ url: `${service.origin}/base`, routes: ['/'] });
    expect((await desk.call(path)).status).toBe(200);
    expect(seen).toMatchObject([{ url }]);
  });

  it('speaks for the caller, and lets nobody else do so', async () => {
    await desk.call('/svc/check/check', {
      headers: {
        cookie: 'a=b',
        forwarded: 'for=9.9.9.9',
        'x-custom': 'kept',
        'x-forwarded-for': '9.9.9.9',
        'x-forwarded-prefix': '/evil',
        'x-hms-actor': 'admin',
        'x-hms-role': 'admin',
        'x-hms-tenant': 'other',
        'x-original-url': '/admin',
        'x-real-ip': '9.9.9.9',
        'x-request-id': 'request-1',
        x_hms_tenant: 'other',
      },
    });
    const { host } = new URL(desk.baseUrl);
    const { headers } = seen[0]!;
    expect(headers).toMatchObject({
      forwarded: `for=127.0.0.1;host="${host}";proto=http`,
      host: new URL(service.origin).host,
      via: '1.1 hms-svc',
      'x-custom': 'kept',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': host,
      'x-forwarded-proto': 'http',
      'x-hms-actor': 'service',
      'x-hms-subject': 'service%20of%20law',
      'x-hms-tenant': 'demo',
      'x-hms-timeout-ms': expect.stringMatching(/^(?:5000|49\d\d)$/),
      'x-request-id': 'request-1',
    });
    for (const name of [
      'authorization',
      'cookie',
      'x-real-ip',
      'x-original-url',
      'x_hms_tenant',
      'x-hms-role',
      'x-forwarded-prefix',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  it('signs a call of a service that has a key, and lets nobody else do so', async () => {
    const forged = { 'x-hms-signature': 'v1,forged', 'x-hms-timestamp': '1' };
    await desk.call('/svc/check/check?b=1&a=2', { headers: forged });
    expect(Object.keys(seen[0]?.headers ?? {})).not.toContain('x-hms-signature');
    const secret = newSigningSecret();
    await desk.secrets.put({ tenant: 'demo', name: 'service/check' }, secret);
    await desk.register({ url: service.origin, routes: ['/check'] }, [], 'secret-1');
    await desk.call('/svc/check/check?b=1&a=2', { headers: forged });
    await desk.call('/svc/check/check/x', { method: 'POST', body: 'milk', headers: forged });
    for (const { method = '', url = '', headers } of seen.slice(1)) {
      const sent = { method, headers: headers as Record<string, string> };
      const request = new Request(`http://check${url}`, sent);
      expect(verifyCall(secret, request)).toBe(true);
      expect(verifyCall(newSigningSecret(), request)).toBe(false);
    }
    expect(seen).toHaveLength(3);
  });

  it('keeps from callers what is not for them', async () => {
    answer = (response) =>
      void response
        .setHeader('vary', ['accept', 'x-a'])
        .writeHead(200, {
          'alt-svc': 'h3="evil.example:443"',
          'clear-site-data': '"*"',
          connection: 'x-secret',
          'keep-alive': 'timeout=5',
          'set-cookie': ['a=b', 'c=d'],
          'strict-transport-security': 'max-age=1',
          'x-request-id': 'theirs',
          'x-secret': 'hush',
        })
        .end('ok');
    const response = await desk.call('/svc/check/check', { headers: { 'x-request-id': 'ours' } });
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      vary: 'accept, x-a',
      via: '1.1 hms-svc',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'ours',
    });
    for (const name of [
      'alt-svc',
      'clear-site-data',
      'set-cookie',
      'strict-transport-security',
      'x-secret',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  it.each([
    ['/check/next?a#b', '/svc/check/check/next?a#b'],
    ['next', '/svc/check/next'],
    ['https://elsewhere.example/a', 'https://elsewhere.example/a'],
    ['//elsewhere.example/a', 'http://elsewhere.example/a'],
  ])('rewrites the redirect to %s', async (location, expected) => {
    answer = (response) => void response.writeHead(307, { location }).end();
    const response = await desk.call('/svc/check/check');
    expect([response.status, response.headers.get('location')]).toEqual([307, expected]);
  });

  it('streams in both directions, as it comes', async () => {
    await service.stop();
    await using echo = await startService((request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      request.pipe(response);
    });
    await desk.register({ url: echo.origin });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const pending = desk.call('/svc/check/x', {
      method: 'POST',
      body: readable,
      duplex: 'half',
    });
    await writer.write(Buffer.from('one'));
    const response = await pending;
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('one');
    await writer.write(Buffer.from('two'));
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('two');
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  it('passes a large body on, both ways, to the byte', async () => {
    const large = Buffer.alloc(3_000_000, 'abcdefgh');
    answer = (response) => void response.end(Buffer.from(seen.at(-1)?.body ?? ''));
    const response = await desk.call('/svc/check/check', { method: 'PUT', body: large });
    expect(Buffer.from(await response.arrayBuffer()).equals(large)).toBe(true);
    expect(response.headers.get('content-length')).toBe('3000000');
  });

  it('passes on the parts of an event stream one by one', async () => {
    answer = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of [1, 2]) {
        response.write(`data: ${part}\n\n`);
        await delay(50);
      }
      response.end();
    };
    const response = await desk.call('/svc/check/check');
    const parts: string[] = [];
    for await (const part of response.body!) parts.push(Buffer.from(part).toString());
    expect(parts).toEqual(['data: 1\n\n', 'data: 2\n\n']);
  });

  it('cuts an answer off where the service did, for all to see', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('half of it');
      setTimeout(() => response.destroy(), 50);
    };
    const response = await desk.call('/svc/check/check');
    await expect(response.text()).rejects.toThrow();
    expect(desk.deps.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('ends the call of who goes away', async () => {
    const closed = Promise.withResolvers<void>();
    answer = (response) => {
      response.on('close', closed.resolve);
      response.write('begun');
    };
    const away = new AbortController();
    const response = await desk.call('/svc/check/check', { signal: away.signal });
    const reading = response.text().catch(() => 'gone');
    away.abort();
    expect(await reading).toBe('gone');
    await closed.promise;
  });

  it.each([
    ['a service that there is not', '/svc/nobody/check', 404, 'not_found'],
    ['a path that is no route', '/svc/check/admin', 404, 'not_found'],
    ['a route that only begins the same', '/svc/check/checkers', 404, 'not_found'],
    ['what is above a route', '/svc/check/deep', 404, 'not_found'],
    ['the root, where that is no route', '/svc/check/', 404, 'not_found'],
    ['no name', '/svc/', 404, 'not_found'],
    ['no name of a service', '/svc/CHECK/check', 400, 'invalid_request'],
  ] as const)('refuses %s', async (_, path, status, code) => {
    const response = await desk.call(path);
    expect(response.status).toBe(status);
    expect((await problemOf(response)).code).toBe(code);
    expect(seen).toEqual([]);
  });

  it('asks for the scope, and knows no other tenant', async () => {
    const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await desk.call('/svc/check/check', as('nobody'))).status).toBe(401);
    expect((await desk.call('/svc/check/check', as('reader'))).status).toBe(403);
    const others = await desk.call('/svc/check/check', as('stranger'));
    expect(others.status).toBe(404);
    expect(await problemOf(others)).toMatchObject({
      detail: (await problemOf(await desk.call('/svc/check2/check'))).detail.replace(
        'check2',
        'check',
      ),
    });
    expect(seen).toEqual([]);
    await register(desk.deps, someManifest({ url: service.origin }), [], 'other');
    expect((await desk.call('/svc/check/check', as('stranger'))).status).toBe(200);
    expect(seen).toMatchObject([
      { headers: { 'x-hms-tenant': 'other', 'x-hms-actor': 'stranger' } },
    ]);
  });

  it('sends nothing to a service that is red, and says when to come back', async () => {
    await desk.register({ url: service.origin }, [service.origin]);
    const response = await desk.call('/svc/check/check');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '15']);
    const { code, detail } = await problemOf(response);
    expect(code).toBe('unavailable');
    expect(detail).toContain('is red: no connection (ECONNREFUSED)');
    expect(seen).toEqual([]);
  });

  it('tells what came of a call that failed', async () => {
    answer = (response) => void response.destroy();
    const rude = await desk.call('/svc/check/check', { method: 'POST' });
    expect([rude.status, (await problemOf(rude)).code]).toEqual([502, 'bad_gateway']);
    answer = () => undefined;
    const headers = { 'x-hms-timeout-ms': '100' };
    const slow = await desk.call('/svc/check/check', { headers });
    expect([slow.status, (await problemOf(slow)).code]).toEqual([504, 'gateway_timeout']);
    await service.stop();
    const gone = await desk.call('/svc/check/check', { method: 'POST' });
    expect([gone.status, gone.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await problemOf(gone)).detail).toContain('Nothing was sent.');
  });

  it('passes a bad status on as the service gave it, when it gives no other', async () => {
    answer = (response) => void response.writeHead(503, { 'retry-after': '7' }).end('not now');
    const response = await desk.call('/svc/check/check');
    expect([response.status, await response.text()]).toEqual([503, 'not now']);
    expect(response.headers.get('retry-after')).toBe('7');
    // It has been asked to wait.
    expect(seen).toHaveLength(1);
  });

  it('waits no longer than the caller does, nor than the manifest lets it', async () => {
    answer = () => undefined;
    await desk.register({ url: service.origin, timeoutMs: 150 });
    const timed = async (headers: Record<string, string>) => {
      const startedMs = performance.now();
      const { status } = await desk.call('/svc/check/check', { headers });
      return [status, performance.now() - startedMs] as const;
    };
    const [status, tookMs] = await timed({});
    expect(status).toBe(504);
    expect(tookMs).toBeLessThan(2000);
    expect((await timed({ 'x-hms-timeout-ms': '99999999' }))[1]).toBeLessThan(2000);
    expect((await timed({ 'x-hms-timeout-ms': 'soon' }))[0]).toBe(400);
    const told = seen.map(({ headers }) => Number(headers['x-hms-timeout-ms']));
    expect(told).toEqual([expect.toSatisfy(isNear150), expect.toSatisfy(isNear150)]);
  });

  it('calls nothing on this machine unless that is allowed', async () => {
    await using careful = await startGatewayDesk({}, { allowPrivate: false, isFast });
    await careful.register({ url: service.origin });
    const response = await careful.call('/svc/check/check');
    expect(response.status).toBe(503);
    expect((await problemOf(response)).detail).toContain('ADDRESS_NOT_ALLOWED');
    expect(seen).toEqual([]);
  });

  it('is for those who are within their limits', async () => {
    let taken = 0;
    const client = { perSecond: 1, burst: 2 };
    const limiter: RateLimiter = {
      limits: { tenant: null, client },
      take: () => (++taken > 2 ? { limit: 'client', waitMs: 1000 } : null),
    };
    await using limited = await startGatewayDesk({}, { isFast, limiter });
    await limited.register({ url: service.origin });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await limited.call('/svc/check/x')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('says which methods there are', async () => {
    const response = await desk.call('/svc/check/check', { method: 'PROPFIND' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  });
});
