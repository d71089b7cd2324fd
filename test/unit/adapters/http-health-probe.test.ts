import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpHealthProbe } from '../../../src/adapters/runtime/http-health-probe.ts';
import type { ProbeResult } from '../../../src/ports/health-probe.ts';
import { expectResult } from '../../contract/health-probe.suite.ts';

const local = httpHealthProbe({ networks: { allowPrivate: true } });

async function probed(url: string, probe = local, timeoutMs = 5000) {
  const result = await probe.probe(url, timeoutMs);
  expectResult(result);
  const { tookMs: _, ...finding } = result;
  return finding;
}

/** Also after a reset. */
async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
}

describe('httpHealthProbe, of a server', () => {
  let server: Server;
  let sockets: Socket[];
  let heard: string;
  let respond: (socket: Socket) => void;
  const url = (protocol = 'http'): string => {
    const { port } = server.address() as AddressInfo;
    return `${protocol}://127.0.0.1:${port}/base/health`;
  };
  beforeEach(async () => {
    sockets = [];
    heard = '';
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        heard = bytes.toString();
        respond(socket);
      });
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

  it('asks once, and for nothing more', async () => {
    respond = (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    expect(await probed(url())).toEqual({ ok: true, detail: 'answered 200' });
    expect(heard).toMatch(/^GET \/base\/health HTTP\/1\.1\r\n/);
    expect(heard).toMatch(/\r\nhost: 127\.0\.0\.1:\d+\r\n/i);
    expect(heard).toMatch(/\r\nconnection: close\r\n/i);
    expect(sockets).toHaveLength(1);
  });

  it('follows no redirect', async () => {
    respond = (socket) =>
      socket.end('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n');
    expect(await probed(url())).toEqual({
      ok: false,
      detail: 'answered 302: redirects are not followed',
    });
    expect(sockets).toHaveLength(1);
  });

  it('gives up when the headers never end', async () => {
    respond = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('x: y\r\n'), 5);
      socket.on('close', () => clearInterval(drip));
    };
    expect(await probed(url(), local, 100)).toEqual({ ok: false, detail: 'no answer in 100 ms' });
  });

  it('takes the status for the outcome when the body never ends', async () => {
    respond = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const drip = setInterval(() => socket.write(' '), 5);
      socket.on('close', () => clearInterval(drip));
    };
    expect(await probed(url(), local, 100)).toEqual({ ok: true, detail: 'answered 200' });
  });

  it('reads a few KiB of a body without end, and hangs up', async () => {
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
    const begun = performance.now();
    expect(await probed(url())).toEqual({ ok: true, detail: 'answered 200' });
    expect(performance.now() - begun).toBeLessThan(2000);
    await closed(sockets[0]!);
    // With what was in the buffers of the two sides.
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });

  it.each([
    ['it hangs up', '', /^no answer/],
    ['it speaks no HTTP', 'SSH-2.0-hush\r\n', /^no answer \(HPE_/],
    [
      'it wants another protocol',
      'HTTP/1.1 101 X\r\nupgrade: hush\r\nconnection: upgrade\r\n\r\n',
      /^no answer/,
    ],
    [
      'its headers are too large',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
      /^no answer \(HPE_HEADER_OVERFLOW\)/,
    ],
  ])('is ill when %s', async (_, answer, detail) => {
    respond = (socket) => socket.end(answer);
    const finding = await probed(url());
    expect(finding).toEqual({ ok: false, detail: expect.stringMatching(detail) });
    expect(finding.detail).not.toContain('hush');
  });

  it('speaks TLS where the URL says so', async () => {
    respond = (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n');
    const finding = await probed(url('https'));
    expect(finding).toEqual({ ok: false, detail: expect.stringMatching(/^no answer \(E/) });
  });
});

it('httpHealthProbe trusts no certificate of an unknown issuer', async () => {
  // Any server with a certificate of its own making.
  const server = new SMTPServer({ secure: true, logger: false });
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  try {
    const finding = await probed(`https://127.0.0.1:${port}/health`);
    expect(finding.ok).toBe(false);
    expect(finding.detail).toMatch(/^no answer \((?:\w*CERT\w*|ERR_TLS_\w+)\)$/);
  } finally {
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
  }
});

describe('httpHealthProbe and addresses', () => {
  const resolving = (allowPrivate: boolean, ...addresses: string[]) => {
    const asked: string[] = [];
    const probe = httpHealthProbe({
      networks: { allowPrivate },
      resolve: async (host) => {
        asked.push(host);
        return addresses;
      },
    });
    return { probe, asked };
  };

  it('connects to the address that it checked, and asks for no other', async () => {
    const hosts: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        hosts.push(/host: (\S+)/i.exec(bytes.toString())?.[1] ?? '');
        socket.end('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { probe, asked } = resolving(true, '127.0.0.1');
    const finding = await probed(`http://service.example:${port}/health`, probe);
    server.close();
    expect(finding).toEqual({ ok: true, detail: 'answered 204' });
    expect(asked).toEqual(['service.example']);
    expect(hosts).toEqual([`service.example:${port}`]);
  });

  it.each([
    ['a private address', ['127.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a public and a private address', ['8.8.8.8', '127.0.0.1']],
    ['an IPv4 address within an IPv6 one', ['::ffff:127.0.0.1']],
    ['nothing', []],
  ])('refuses a name that leads to %s', async (_, addresses) => {
    const { probe } = resolving(false, ...addresses);
    for (const protocol of ['http', 'https']) {
      const url = `${protocol}://service.example:8080/health`;
      expect(probe.refusal(url)).toBeNull();
      expect(await probed(url, probe)).toEqual({
        ok: false,
        detail: 'the host leads to an address that is not public',
      });
    }
  });

  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '10.0.0.8',
    '169.254.169.254',
    '[fd00:ec2::254]',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
  ])('refuses %s at once, unless it is allowed', (host) => {
    const url = `https://${host}:8080/health`;
    const { probe, asked } = resolving(false, '8.8.8.8');
    expect(probe.refusal(url)).toBe('must not lead to this machine or a private network');
    const isMetadata = /^169|fd00/.test(host);
    expect(local.refusal(url) === null).toBe(!isMetadata);
    const ofList = httpHealthProbe({ networks: { allowed: ['127.0.0.0/8'] } });
    const isListed = !isMetadata && host !== '10.0.0.8' && host !== '[::1]';
    expect(ofList.refusal(url) === null).toBe(isListed);
    expect(asked).toEqual([]);
  });

  it('sends nothing in the clear over the internet', async () => {
    const { probe } = resolving(true, '8.8.8.8');
    const url = 'http://service.example/health';
    expect(await probed(url, probe)).toEqual({ ok: false, detail: 'a public host needs https' });
    expect(probe.refusal('http://8.8.8.8/health')).toBe('must be https: the host is public');
    expect(probe.refusal('https://8.8.8.8/health')).toBeNull();
  });

  it('says so when a name is not known', async () => {
    const probe = httpHealthProbe({
      networks: { allowPrivate: false },
      resolve: async () => {
        throw Object.assign(new Error('getaddrinfo of hush'), { code: 'ENOTFOUND' });
      },
    });
    expect(await probed('https://service.example/health', probe)).toEqual({
      ok: false,
      detail: 'the host name could not be resolved (ENOTFOUND)',
    });
  });

  it('waits for a name no longer than for all the rest, and not after it is told to stop', async () => {
    const probe = httpHealthProbe({
      networks: { allowPrivate: false },
      resolve: () => new Promise(() => undefined),
    });
    const url = 'https://service.example/health';
    expect(await probed(url, probe, 50)).toEqual({ ok: false, detail: 'no answer in 50 ms' });
    const stopped: Promise<ProbeResult> = probe.probe(url, 10_000, AbortSignal.abort());
    expect((await stopped).ok).toBe(false);
  });

  it.each(['http://user:hush@127.0.0.1:8080/', 'http://127.0.0.1:25/', 'https://127.0.0.1:80/'])(
    'uses no URL like %s',
    async (url) => {
      expect(local.refusal(url)).toBe('must be an http or https URL that can be used');
      expect(await probed(url)).toEqual({ ok: false, detail: 'the URL cannot be used' });
    },
  );

  it('is not made for networks that are none', () => {
    expect(() => httpHealthProbe({ networks: { allowed: ['10.0.0.0'] } })).toThrow('10.0.0.0');
  });
});
