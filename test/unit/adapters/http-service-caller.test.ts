import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { httpServiceCaller } from '../../../src/adapters/runtime/http-service-caller.ts';
import { answerOf, serviceRequest, textOf } from '../../support/service-request.ts';
import { startRawService } from '../../support/start-raw-service.ts';
import { startService, type TestService } from '../../support/start-service.ts';
import { testCertificate } from '../../support/test-certificate.ts';

describe('httpServiceCaller', () => {
  const open: { close(): void }[] = [];
  const services: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    for (const each of services.splice(0)) await each[Symbol.asyncDispose]();
  });
  const callerOf = (...args: Parameters<typeof httpServiceCaller>) => {
    const caller = httpServiceCaller(...args);
    open.push(caller);
    return caller;
  };
  const serve = async (): Promise<TestService> => {
    const service = await startService((request, response) => void response.end(request.url));
    services.push(service);
    return service;
  };

  /** A caller to whom every name leads to these addresses, and the names that it asked for. */
  function resolving(
    networks: Parameters<typeof httpServiceCaller>[0]['networks'],
    ...addresses: string[]
  ) {
    const asked: string[] = [];
    const caller = callerOf({
      networks,
      resolve: async (host) => {
        asked.push(host);
        return addresses;
      },
      connectTimeoutMs: 200,
    });
    return { caller, asked };
  }

  it('connects to the address that it checked, and asks once for each connection', async () => {
    const { port } = await serve();
    const { caller, asked } = resolving({ allowPrivate: true }, '127.0.0.1');
    for (const path of ['/a', '/b']) {
      const request = serviceRequest(`http://check.example:${port}`, { path });
      expect(await textOf(answerOf(await caller.call(request)).body)).toBe(path);
    }
    expect(asked).toEqual(['check.example']);
  });

  it.each([
    ['a private address', ['127.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a public and a private address', ['8.8.8.8', '127.0.0.1']],
    ['an IPv4 address within an IPv6 one', ['::ffff:127.0.0.1']],
    ['nothing', []],
  ])('refuses a name that leads to %s', async (_, addresses) => {
    const { port } = await serve();
    const { caller } = resolving({ allowPrivate: false }, ...addresses);
    for (const scheme of ['http', 'https']) {
      expect(await caller.call(serviceRequest(`${scheme}://check.example:${port}`))).toEqual({
        kind: 'failed',
        failure: 'not_sent',
        reason: 'no connection (ADDRESS_NOT_ALLOWED)',
      });
    }
  });

  it.each(['127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]'])(
    'refuses %s, however it is written',
    async (host) => {
      const { port } = await serve();
      const { caller, asked } = resolving({ allowPrivate: false }, '8.8.8.8');
      const outcome = await caller.call(serviceRequest(`http://${host}:${port}`));
      expect(outcome).toMatchObject({ failure: 'not_sent', reason: /ADDRESS_NOT_ALLOWED/ });
      expect(asked).toEqual([]);
    },
  );

  it('goes to the networks of a list, and to no other', async () => {
    const { port } = await serve();
    const request = serviceRequest(`http://127.0.0.1:${port}`);
    const within = callerOf({ networks: { allowed: ['127.0.0.0/8'] } });
    expect(answerOf(await within.call(request)).status).toBe(200);
    const without = callerOf({ networks: { allowed: ['10.0.0.0/8'] } });
    expect(await without.call(request)).toMatchObject({ failure: 'not_sent' });
  });

  it('sends nothing in the clear over the internet', async () => {
    const { caller } = resolving({ allowPrivate: true }, '8.8.8.8');
    for (const origin of ['http://check.example:8080', 'http://8.8.8.8:8080']) {
      const outcome = await caller.call(serviceRequest(origin));
      expect(outcome).toMatchObject({ failure: 'not_sent', reason: /HTTPS_NEEDED/ });
    }
  });

  it('says that nothing was sent when a name leads nowhere', async () => {
    const caller = callerOf({
      networks: { allowPrivate: true },
      resolve: async () => {
        throw Object.assign(new Error('secret.internal'), { code: 'ENOTFOUND' });
      },
    });
    expect(await caller.call(serviceRequest('http://check.example:8080'))).toEqual({
      kind: 'failed',
      failure: 'not_sent',
      reason: 'no connection (ENOTFOUND)',
    });
  });

  it('does not wait long for a connection', async () => {
    const caller = callerOf({
      networks: { allowPrivate: true },
      resolve: () => new Promise(() => undefined),
      connectTimeoutMs: 50,
    });
    const outcome = await caller.call(serviceRequest('http://check.example:8080'));
    expect(outcome).toMatchObject({ failure: 'not_sent', reason: 'no connection in time' });
  });

  it('sends nothing that would be a header of its own', async () => {
    const { origin, server } = await serve();
    let requests = 0;
    server.on('request', () => (requests += 1));
    const caller = callerOf({ networks: { allowPrivate: true } });
    for (const headers of [
      [['x-a', 'b\r\nx-evil: c']],
      [['x-a\r\nx-evil', 'c']],
      [['x a', 'c']],
    ] as const) {
      expect(await caller.call(serviceRequest(origin, { headers }))).toMatchObject({
        failure: 'not_sent',
      });
    }
    for (const path of ['/a b', '/a\r\nx-evil: c', '/ä€']) {
      expect(await caller.call(serviceRequest(origin, { path }))).toMatchObject({
        failure: 'not_sent',
      });
    }
    expect(requests).toBe(0);
  });

  it('speaks TLS, and tells a server that it can trust', async () => {
    const server = createServer(
      testCertificate,
      (request, response) => void response.end(request.url),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { caller } = resolving({ allowPrivate: true }, '127.0.0.1');
    const request = serviceRequest(`https://service.test:${port}`, { path: '/tls' });
    const before = getCACertificates('default');
    try {
      const untrusted = await caller.call(request);
      expect(untrusted).toMatchObject({ failure: 'not_sent', reason: /\([A-Z_]+\)$/ });
      setDefaultCACertificates([testCertificate.cert]);
      expect(await textOf(answerOf(await caller.call(request)).body)).toBe('/tls');
      expect(await textOf(answerOf(await caller.call(request)).body)).toBe('/tls');
      const other = serviceRequest(`https://other.test:${port}`);
      const outcome = await caller.call(other);
      expect(outcome).toMatchObject({
        failure: 'not_sent',
        reason: /ERR_TLS_CERT_ALTNAME_INVALID/,
      });
    } finally {
      setDefaultCACertificates(before);
      server.closeAllConnections();
      server.close();
    }
  });

  it('says that nothing was sent to a server that speaks no TLS', async () => {
    await using service = await startRawService(
      (socket) => void socket.end('HTTP/1.1 400 Bad\r\n\r\n'),
    );
    const caller = callerOf({ networks: { allowPrivate: true } });
    const outcome = await caller.call(serviceRequest(service.origin.replace('http', 'https')));
    expect(outcome).toMatchObject({ failure: 'not_sent' });
  });
});
