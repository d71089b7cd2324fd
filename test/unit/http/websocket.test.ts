import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import { publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import { shareReads } from '../../../src/core/journal/share-reads.ts';
import { issueTicket } from '../../../src/core/push/tickets.ts';
import { pageLength } from '../../../src/http/journal-reading.ts';
import {
  acceptSockets,
  isSocketRequest,
  type SocketLimits,
} from '../../../src/http/websocket/socket-server.ts';
import { SubscriptionFeed } from '../../../src/http/websocket/subscription-feed.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type Frame, parseServerFrame } from '../../support/parse-server-frame.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { principalOf } from '../push/push-desk.ts';

const usual: SocketLimits = {
  lifeMs: 3_600_000,
  pingMs: 15_000,
  maxOpen: 100,
  maxOpenOfTenant: 100,
};
const all = { type: 'subscribe', subscription: 'all', topic: 'policies' } as const;

let deps: CoreDeps;
let server: Server;
let clients: WebSocket[];
let stop: AbortController;

beforeEach(() => {
  deps = coreDeps({ clock: new ManualClock() });
  clients = [];
  stop = new AbortController();
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

async function start(limits: Partial<SocketLimits> = {}): Promise<void> {
  server = createServer({ shouldUpgradeCallback: isSocketRequest });
  server.on('request', (_, response) => response.end('the app'));
  acceptSockets(server, deps, { ...usual, ...limits, stop: stop.signal });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

async function ticketOf(given: Parameters<typeof principalOf>[1] = {}): Promise<string> {
  return (await issueTicket(deps, principalOf(deps, given))).ticket;
}

/** Opens a connection, and answers it with what it hears. */
async function connect(ticket: string, options: object = {}) {
  const socket = new WebSocket(`ws://${address()}/api/ws?ticket=${ticket}`, options);
  clients.push(socket);
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer) => frames.push(parseServerFrame(data.toString())));
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
    socket.on('unexpected-response', (_, response) => reject(new Refused(response)));
  });
  const say = (frame: object) => socket.send(JSON.stringify(frame));
  const heard = (count: number) => expect.poll(() => frames.length, { interval: 2 }).toBe(count);
  return { socket, frames, closed, say, heard };
}

class Refused extends Error {
  readonly response: IncomingMessage;

  constructor(response: IncomingMessage) {
    super(`refused with ${response.statusCode}`);
    this.response = response;
  }
}

/** The problem with which a connection is refused. */
async function refusal(ticket: string) {
  const error: unknown = await connect(ticket).catch((thrown: unknown) => thrown);
  if (!(error instanceof Refused)) throw new Error('It was not refused.');
  const chunks: Buffer[] = [];
  for await (const chunk of error.response) chunks.push(chunk as Buffer);
  const problem = problemSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
  expect(error.response.statusCode).toBe(problem.status);
  expect(error.response.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'x-request-id': problem.requestId,
    connection: 'close',
  });
  return problem.code;
}

async function publish(count = 1, reason: string | null = null): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    await publishPolicy(
      deps,
      { tenant: 'demo', actor: 'editor', requestId: 'request-1' },
      {
        lane: { tenant: 'demo', id: 'p', channel: 'prod' },
        upload: { form: 'yaml', bytes: Buffer.from(ruleYaml('p', { limit: Math.random() })) },
        guard: null,
        reason,
      },
    );
  }
}

describe('a WebSocket is opened', () => {
  it('by a ticket alone, once', async () => {
    await start();
    const ticket = await ticketOf();
    await connect(ticket);
    expect(await refusal(ticket)).toBe('unauthenticated');
    expect(await refusal('')).toBe('unauthenticated');
    expect(await refusal('x'.repeat(2000))).toBe('unauthenticated');
    expect(deps.metrics.told.map(([, operation, status]) => [operation, status])).toEqual([
      ['openSocket', 101],
      ...Array.from({ length: 3 }, () => ['openSocket', 401]),
    ]);
  });

  it('from a page of any origin, with a ticket, and not by a cookie or a token', async () => {
    await start();
    await connect(await ticketOf(), { origin: 'https://elsewhere.example' });
    const headers = { cookie: 'ticket=x', authorization: 'Bearer admin' };
    await expect(connect('', { headers })).rejects.toThrow('401');
  });

  it('up to so many at a time, of all and of one tenant', async () => {
    await start({ maxOpen: 3, maxOpenOfTenant: 2 });
    const [first] = [await connect(await ticketOf()), await connect(await ticketOf())];
    expect(await refusal(await ticketOf())).toBe('too_many_requests');
    await connect(await ticketOf({ tenant: 'other' }));
    const kept = await ticketOf({ tenant: 'third' });
    expect(await refusal(kept)).toBe('unavailable');
    first?.socket.close();
    await first?.closed;
    // It was not used up by who was told to come back.
    await connect(kept);
  });

  it('on its path alone; what else would be upgraded is answered as if it had not asked', async () => {
    await start();
    for (const [path, upgrade] of [
      ['/api/policies', 'websocket'],
      ['/api/ws', 'h2c'],
    ] as const) {
      const { port } = server.address() as AddressInfo;
      const headers = { connection: 'upgrade', upgrade };
      const body = await new Promise<string>((resolve, reject) => {
        const asked = request({ port, host: '127.0.0.1', path, headers }, (response) =>
          response.on('data', (chunk: Buffer) => resolve(chunk.toString())),
        );
        asked.on('error', reject).end();
      });
      expect(body).toBe('the app');
    }
  });
});

describe('a WebSocket is closed', () => {
  it.each([
    ['its life is over', 3_600_000, 86_400_000, 'over', 1000],
    ['its token expires', 60_000, 60_000, 'expired', 4401],
  ] as const)('when %s', async (_, afterMs, expiresInMs, reason, code) => {
    await start();
    const expiresAtMs = deps.clock.nowMs() + expiresInMs;
    const { say, frames, heard, closed, socket } = await connect(await ticketOf({ expiresAtMs }));
    say({ type: 'hello' });
    await heard(1);
    const until = new Date(deps.clock.nowMs() + afterMs).toISOString();
    expect(frames).toEqual([{ type: 'hello', pingSeconds: 15, until }]);
    // As in real time, where pongs come in between.
    for (let passed = 0; passed < afterMs; passed += 15_000) {
      const pinged = new Promise((resolve) => socket.once('ping', resolve));
      await deps.clock.advance(15_000);
      if (passed + 15_000 < afterMs) await pinged;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await closed).toBe(code);
    expect(frames.at(-1)).toEqual({ type: 'closing', reason });
    expect(deps.clock.sleeping).toBe(0);
  });

  it('when the server goes down', async () => {
    await start();
    const { frames, closed } = await connect(await ticketOf());
    stop.abort();
    expect(await closed).toBe(1012);
    expect(frames).toEqual([{ type: 'closing', reason: 'restart' }]);
    const late = await connect(await ticketOf());
    expect(await late.closed).toBe(1012);
  });

  it('when its client is gone without a word', async () => {
    await start();
    const { closed } = await connect(await ticketOf(), { autoPong: false });
    await deps.clock.advance(15_000);
    expect(await closed).toBe(1006);
    expect(deps.clock.sleeping).toBe(0);
  });

  it('for a flood of frames', async () => {
    await start();
    const { say, frames, closed } = await connect(await ticketOf());
    for (let nth = 0; nth < 60; nth++) say({ type: 'ping' });
    expect(await closed).toBe(1008);
    expect(frames.at(-1)).toEqual({ type: 'closing', reason: 'flood' });
    expect(frames.length).toBeLessThanOrEqual(51);
  });

  it('for a frame of more than 32 KiB, and not for one of more than 4', async () => {
    await start();
    const { socket, frames, heard, closed } = await connect(await ticketOf());
    socket.send('x'.repeat(32 * 1024));
    await heard(1);
    expect(frames).toMatchObject([{ type: 'error', problem: { code: 'too_large' } }]);
    socket.send('x'.repeat(32 * 1024 + 1));
    expect(await closed).toBe(1009);
  });

  it('when its client takes nothing', async () => {
    await start();
    const { socket } = await connect(await ticketOf());
    socket.pause();
    await deps.clock.advance(15_000);
    await expect.poll(() => deps.clock.sleeping).toBe(0);
  });
});

describe('a subscription', () => {
  it('holds one page for a client that takes nothing', async () => {
    await start();
    await publish(250);
    const lengths = [250];
    const terms = { journals: ['demo'], messagesOf: () => ['x'] };
    const opened = {
      topic: { topic: 'policies' },
      start: null,
      isOver: false,
      lastStepAt: null,
    } as const;
    const sent: string[] = [];
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    const closed = new AbortController();
    const feed = new SubscriptionFeed(
      { ...deps, readAfter: shareReads(deps, pageLength) },
      { name: 'all', opened, terms, positions: [-1], lengths },
      closed.signal,
      async (text) => {
        sent.push(text);
        if (sent.length > 1) await taken;
      },
    );
    const running = feed.run();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toHaveLength(1 + pageLength);
    expect(feed.position).toBe('99');
    take();
    await expect.poll(() => sent.length).toBe(1 + 250);
    closed.abort();
    await running;
  });

  it('breaks off with an error when the store does not answer, and the connection stays', async () => {
    await start();
    const { say, frames, heard } = await connect(await ticketOf());
    say(all);
    await heard(1);
    const { records } = deps;
    const query = records.query.bind(records);
    records.query = () => Promise.reject(new Error('gone'));
    await publish();
    await heard(2);
    expect(frames[1]).toMatchObject({
      type: 'error',
      subscription: 'all',
      problem: { code: 'internal' },
    });
    records.query = query;
    say(all);
    await heard(3);
    expect(frames[2]).toMatchObject({ type: 'subscribed', after: '0' });
  });

  it('takes the place of a former one of its name', async () => {
    await start();
    const { say, frames, heard } = await connect(await ticketOf());
    say(all);
    await heard(1);
    say({ ...all, channel: 'dev' });
    await heard(2);
    await publish();
    say({ type: 'ping' });
    await heard(3);
    expect(frames[2]).toEqual({ type: 'pong', positions: { all: expect.any(String) } });
    say({ type: 'unsubscribe', subscription: 'all' });
    await heard(4);
    say({ type: 'ping' });
    await heard(5);
    expect(frames[4]).toEqual({ type: 'pong', positions: {} });
  });

  it('says no position in a pong that its client has not had', async () => {
    await start();
    await publish(30);
    const { say, frames } = await connect(await ticketOf());
    say({ ...all, after: '-1' });
    for (let nth = 0; nth < 20; nth++) say({ type: 'ping' });
    await expect.poll(() => frames.filter(({ type }) => type === 'message').length).toBe(30);
    let had = -1;
    for (const frame of frames) {
      if (frame.type === 'message') had = Number(frame.id);
      if (frame.type !== 'pong' || frame.positions['all'] === undefined) continue;
      expect(Number(frame.positions['all'])).toBeLessThanOrEqual(had);
    }
  });
});
