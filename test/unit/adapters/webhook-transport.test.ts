import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { webhookTransport } from '../../../src/adapters/runtime/webhook-transport.ts';
import type { Attempt } from '../../../src/ports/partner-transport.ts';
import {
  startWebhookReceiver,
  type WebhookReceiver,
} from '../../support/start-webhook-receiver.ts';
import { expectDetail, someNotice } from '../../contract/partner-transport.suite.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const local = webhookTransport({ networks: { allowPrivate: true }, timeoutMs: 5000 });

async function send(url: string, transport = local, key: string | undefined = secret) {
  const attempt = await transport.send({ kind: 'webhook', url }, key, someNotice());
  expectDetail(attempt, key);
  return attempt;
}

describe('webhookTransport', () => {
  let receiver: WebhookReceiver;
  beforeEach(async () => {
    receiver = await startWebhookReceiver();
  });
  afterEach(() => receiver[Symbol.asyncDispose]());

  it('makes one signed POST', async () => {
    expect(await send(receiver.url)).toEqual({ outcome: 'delivered', detail: 'HTTP 204' });
    expect(receiver.calls).toMatchObject([
      {
        method: 'POST',
        url: '/hooks/rules?of=hms',
        headers: {
          'content-type': 'application/json',
          'webhook-id': expect.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
          'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
          'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
        },
      },
    ]);
  });

  it('says where the attempt stands in a trace, where that is known', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const target = { kind: 'webhook', url: receiver.url } as const;
    await local.send(target, secret, someNotice({ traceparent }));
    await local.send(target, secret, someNotice());
    const told = receiver.calls.map(({ headers }) => headers['traceparent']);
    expect(told).toEqual([traceparent, undefined]);
  });

  it.each([
    ['{"acknowledged":true}', 'acked'],
    [' { "acknowledged" : true, "more": [1] }\n', 'acked'],
    ['{"acknowledged":false}', 'delivered'],
    ['{"acknowledged":"true"}', 'delivered'],
    ['[{"acknowledged":true}]', 'delivered'],
    ['null', 'delivered'],
    ['ok', 'delivered'],
    ['', 'delivered'],
    [`${' '.repeat(70_000)}{"acknowledged":true}`, 'delivered'],
  ])('takes the answer %.30s for %s', async (body, outcome) => {
    receiver.answer = { status: 200, body };
    expect(await send(receiver.url)).toEqual({ outcome, detail: 'HTTP 200' });
  });

  it.each([400, 401, 404, 429, 500, 503])('fails for HTTP %i', async (status) => {
    receiver.answer = { status, body: '{"acknowledged":true} secret words of a server' };
    expect(await send(receiver.url)).toEqual({ outcome: 'failed', detail: `HTTP ${status}` });
  });

  it('is told by 410 to stop', async () => {
    receiver.answer = { status: 410 };
    expect(await send(receiver.url)).toEqual({ outcome: 'gone', detail: 'HTTP 410' });
  });

  it.each([301, 302, 303, 307, 308])('follows no redirect (%i)', async (status) => {
    const location = 'http://169.254.169.254/latest/meta-data';
    receiver.answer = { status, headers: { location } };
    const attempt = await send(receiver.url);
    expect(attempt).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('redirects are not followed'),
    });
    expect(attempt.detail).not.toContain('169.254');
    expect(receiver.calls).toHaveLength(1);
  });

  it.each([
    ['no secret', undefined],
    ['an empty one', 'whsec_'],
    ['no base64', 'whsec_hush-hush-hush-hush'],
  ])('sends nothing unsigned: %s', async (_, key) => {
    const target = { kind: 'webhook', url: receiver.url } as const;
    const attempt = await local.send(target, key, someNotice());
    expect(attempt.outcome).toBe('failed');
    expect(attempt.detail).not.toContain('hush');
    expect(receiver.calls).toEqual([]);
  });

  it.each([
    ['no URL', () => 'partner'],
    ['a file', () => 'file:///etc/passwd'],
    ['a user', () => receiver.url.replace('//', '//user@')],
    ['a user and a password', () => receiver.url.replace('//', '//user:hush@')],
    ['a system port', () => 'http://127.0.0.1:25/'],
    ['the port of another protocol', () => 'https://127.0.0.1:80/'],
  ])('uses no URL with %s', async (_, url) => {
    const attempt = await send(url());
    expect(attempt).toMatchObject({ outcome: 'failed' });
    expect(attempt.detail).toContain('URL cannot be used');
    expect(receiver.calls).toEqual([]);
  });

  it('speaks TLS where the URL says so', async () => {
    const attempt = await send(receiver.url.replace('http:', 'https:'));
    expect(attempt).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('(E') });
    expect(receiver.calls).toEqual([]);
  });

  describe('and addresses', () => {
    const resolving = (allowPrivate: boolean, ...addresses: string[]) => {
      const asked: string[] = [];
      const transport = webhookTransport({
        networks: { allowPrivate },
        resolve: async (host) => {
          asked.push(host);
          return addresses;
        },
      });
      return { transport, asked };
    };

    it('connects to the address that it checked, and asks for no other', async () => {
      const { transport, asked } = resolving(true, '127.0.0.1');
      const url = `http://partner.example:${receiver.port}/`;
      expect((await send(url, transport)).outcome).toBe('delivered');
      expect(asked).toEqual(['partner.example']);
      expect(receiver.calls[0]?.headers.host).toBe(`partner.example:${receiver.port}`);
    });

    it.each([
      ['a private address', ['127.0.0.1']],
      ['the metadata service', ['169.254.169.254']],
      ['a public and a private address', ['8.8.8.8', '127.0.0.1']],
      ['an IPv4 address within an IPv6 one', ['::ffff:127.0.0.1']],
      ['nothing', []],
    ])('refuses a name that leads to %s', async (_, addresses) => {
      const { transport } = resolving(false, ...addresses);
      for (const protocol of ['http', 'https']) {
        const attempt = await send(`${protocol}://partner.example:${receiver.port}/`, transport);
        expect(attempt.detail).toContain('not public');
        expect(attempt.outcome).toBe('failed');
      }
      expect(receiver.calls).toEqual([]);
    });

    it.each(['127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]'])(
      'refuses %s, however it is written',
      async (host) => {
        const { transport, asked } = resolving(false, '8.8.8.8');
        const attempt = await send(`https://${host}:${receiver.port}/`, transport);
        expect(attempt.detail).toContain('not public');
        expect(asked).toEqual([]);
      },
    );

    it('sends nothing in the clear over the internet', async () => {
      const { transport } = resolving(true, '8.8.8.8');
      const attempt = await send('http://partner.example/', transport);
      expect(attempt).toEqual({ outcome: 'failed', detail: 'A public host needs https.' });
    });

    it('says so when a name is not known', async () => {
      const transport = webhookTransport({
        networks: { allowPrivate: false },
        resolve: async () => {
          throw Object.assign(new Error('getaddrinfo of hush'), { code: 'ENOTFOUND' });
        },
      });
      expect(await send('https://partner.example/', transport)).toEqual({
        outcome: 'failed',
        detail: 'The host name could not be resolved (ENOTFOUND).',
      });
    });

    it('waits for a name no longer than for all the rest', async () => {
      const transport = webhookTransport({
        networks: { allowPrivate: false },
        resolve: () => new Promise(() => undefined),
        timeoutMs: 50,
      });
      const attempt = await send('https://partner.example/', transport);
      expect(attempt).toEqual({ outcome: 'failed', detail: 'No answer in time.' });
    });
  });
});

/** Also after a reset. */
async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
}

describe('webhookTransport, of a server that misbehaves', () => {
  let server: Server;
  let sockets: Socket[];
  let respond: (socket: Socket) => void;
  beforeEach(async () => {
    sockets = [];
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => respond(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    // Nobody keeps a connection to it.
    await Promise.all(sockets.map(closed));
    server.close();
    await once(server, 'close');
  });
  const attempt = (timeoutMs: number): Promise<Attempt> => {
    const { port } = server.address() as AddressInfo;
    const transport = webhookTransport({ networks: { allowPrivate: true }, timeoutMs });
    return send(`http://127.0.0.1:${port}/`, transport);
  };

  it('gives up when no answer comes', async () => {
    respond = () => undefined;
    expect(await attempt(100)).toEqual({ outcome: 'failed', detail: 'No answer in time.' });
  });

  it('gives up when the headers never end', async () => {
    respond = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('x: y\r\n'), 5);
      socket.on('close', () => clearInterval(drip));
    };
    expect(await attempt(100)).toEqual({ outcome: 'failed', detail: 'No answer in time.' });
  });

  it('takes the status for the outcome when the body never ends', async () => {
    respond = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const drip = setInterval(() => socket.write(' '), 5);
      socket.on('close', () => clearInterval(drip));
    };
    expect(await attempt(100)).toEqual({ outcome: 'delivered', detail: 'HTTP 200' });
  });

  it('reads no more than 64 KiB', async () => {
    let sentBytes = 0;
    respond = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
      const more = (): void => {
        sentBytes += chunk.length;
        if (!socket.destroyed) socket.write(chunk, more);
      };
      more();
    };
    expect(await attempt(5000)).toEqual({ outcome: 'delivered', detail: 'HTTP 200' });
    await closed(sockets[0]!);
    // With what was in the buffers of the two sides.
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });

  it('takes the status for the outcome when the body breaks off', async () => {
    respond = (socket) => socket.end('HTTP/1.1 202 Accepted\r\ncontent-length: 10\r\n\r\n{"ack');
    expect(await attempt(5000)).toEqual({ outcome: 'delivered', detail: 'HTTP 202' });
  });

  it.each([
    ['it hangs up', '', /^No answer/],
    ['it speaks no HTTP', 'SSH-2.0-hush\r\n', /^No answer \(HPE_/],
    [
      'it wants another protocol',
      'HTTP/1.1 101 X\r\nupgrade: hush\r\nconnection: upgrade\r\n\r\n',
      /^No answer/,
    ],
    [
      'its headers are too large',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
      /^No answer/,
    ],
  ])('fails when %s', async (_, answer, detail) => {
    respond = (socket) => socket.end(answer);
    const ended = await attempt(5000);
    expect(ended).toEqual({ outcome: 'failed', detail: expect.stringMatching(detail) });
    expect(ended.detail).not.toContain('hush');
  });
});
