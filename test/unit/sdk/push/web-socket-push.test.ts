import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, settle, stopTime } from '../../../support/fake-time.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';
import { clientFrame } from '../../../../src/contract/frame-schemas.ts';
import { createApi } from '../../../../sdk/src/api/api.ts';
import { webSocketPush } from '../../../../sdk/src/push/web-socket-push.ts';

interface Frame {
  readonly type: string;
  readonly after?: string;
}

let service: FakePolicies;
let server: WebSocketServer;
let url: string;
let frames: Frame[];
let sockets: WebSocket[];
let tickets: number;
/** What the server does with a frame of the client. */
let answer: (socket: WebSocket, frame: Frame) => void;

beforeEach(async () => {
  stopTime();
  service = new FakePolicies();
  service.publish('pm25', { limit: 35 });
  frames = [];
  sockets = [];
  tickets = 0;
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws?ticket=t`;
  service.lie = ({ name }) => {
    if (name !== 'POST /api/stream/tickets') return undefined;
    tickets += 1;
    return Response.json({ ticket: 't', url: `${url}${tickets}`, expiresAt: '' }, { status: 201 });
  };
  answer = (socket, frame) => {
    if (frame.type === 'hello') say(socket, { type: 'hello', pingSeconds: 15, until: '' });
    if (frame.type === 'subscribe') {
      say(socket, { type: 'subscribed', subscription: 'rules', after: '12' });
    }
    if (frame.type === 'ping') say(socket, { type: 'pong', positions: { rules: '57' } });
  };
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('message', (data: Buffer) => {
      const frame = clientFrame.parse(JSON.parse(data.toString())) as Frame;
      frames.push(frame);
      answer(socket, frame);
    });
  });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets) socket.terminate();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const say = (socket: WebSocket, frame: object) => socket.send(JSON.stringify(frame));
const subscriptions = () => frames.filter(({ type }) => type === 'subscribe');

/** Time passes much faster than frames do. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5000 && !isSo(); turn++) {
    await settle(1);
    await vi.advanceTimersByTimeAsync(5);
  }
  expect(isSo(), isSo.toString()).toBe(true);
}

async function connected(): Promise<TestClient> {
  const policies = testClient(service, { push: 'websocket' });
  await until(() => policies.status().ready && policies.status().push === 'up');
  return policies;
}

describe('a WebSocket', () => {
  it('is opened with a ticket, and its messages make the client ask', async () => {
    const policies = await connected();
    expect(subscriptions()).toEqual([
      { type: 'subscribe', subscription: 'rules', topic: 'policies', channel: 'prod' },
    ]);
    service.publish('pm25', { limit: 25 });
    const data = { id: 'pm25', gen: 2, snapshot: 'forged' };
    say(sockets[0]!, { type: 'message', subscription: 'rules', id: '13', data });
    await until(() => policies.getSync<{ limit: number }>('pm25').limit === 25);
  });

  it('is replaced when the server closes it, with a new ticket, after the last position', async () => {
    const policies = await connected();
    say(sockets[0]!, { type: 'message', subscription: 'rules', id: '13', data: { gen: 0 } });
    say(sockets[0]!, { type: 'message', subscription: 'rules', id: null, data: { gen: 0 } });
    say(sockets[0]!, { type: 'something new' });
    sockets[0]!.send('no JSON');
    say(sockets[0]!, { type: 'closing', reason: 'over' });
    sockets[0]!.close(1000);
    await until(() => subscriptions().length === 2);
    expect(subscriptions()[1]).toMatchObject({ after: '13' });
    expect(tickets).toBe(2);
    await until(() => policies.status().push === 'up');
    expect(policies.said('push-lost')).toEqual([]);
  });

  it('that breaks off is said to be lost, and comes back', async () => {
    const policies = await connected();
    sockets[0]!.terminate();
    await until(() => policies.said('push-lost').length === 1);
    await until(() => policies.said('push-back').length === 1);
    expect(policies.status().push).toBe('up');
  });

  it('whose position is too far back begins anew', async () => {
    const policies = await connected();
    const usual = answer;
    answer = (socket, frame) => {
      if (frame.type !== 'subscribe' || frame.after === undefined) return usual(socket, frame);
      const refusal = { status: 412, code: 'precondition_failed', detail: 'too far back' };
      return say(socket, { type: 'error', subscription: 'rules', problem: refusal });
    };
    sockets[0]!.terminate();
    await until(() => policies.said('push-back').length === 1);
    expect(subscriptions().map(({ after }) => after)).toEqual([undefined, '12', undefined]);
  });

  it('is asked whether it lives, and given up when it does not answer', async () => {
    const policies = await connected();
    await pass(16_000);
    expect(frames.filter(({ type }) => type === 'ping')).toHaveLength(1);
    const usual = answer;
    answer = () => undefined;
    await pass(30_000);
    expect(policies.said('push-lost')[0]?.message).toContain('The WebSocket has been silent.');
    answer = usual;
    await until(() => policies.said('push-back').length === 1);
    // A pong moves the position, too.
    expect(subscriptions().at(-1)).toMatchObject({ after: '57' });
  });

  it('on which nobody subscribes is no use', async () => {
    const usual = answer;
    answer = (socket, frame) => (frame.type === 'subscribe' ? undefined : usual(socket, frame));
    const policies = testClient(service, { push: 'websocket' });
    await until(() => frames.length > 0);
    await pass(20_000);
    expect(policies.said('push-lost')[0]?.message).toContain('does not answer');
    expect(policies.status()).toMatchObject({ push: 'down', ready: true });
  });

  it('leaves nothing behind when the client closes', async () => {
    const policies = await connected();
    const closed = once(sockets[0]!, 'close');
    await policies.close();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a ticket', () => {
  const api = (baseUrl: string, ticketUrl: unknown) =>
    createApi({ baseUrl, fetch: async () => Response.json({ url: ticketUrl }, { status: 201 }) });
  const sink = { opened: () => undefined, moved: () => undefined, changed: () => undefined };
  const signal = new AbortController().signal;

  it.each([
    ['https://hms.test', 'ws://hms.test/ws?ticket=t'],
    ['http://hms.test', 'http://hms.test/ws'],
    ['http://hms.test', 'javascript:alert(1)'],
    ['http://hms.test', undefined],
  ])('of %s is not taken to %s', async (baseUrl, ticketUrl) => {
    const opening = webSocketPush(api(baseUrl, ticketUrl), 'prod')(undefined, sink, signal);
    await expect(opening).rejects.toThrow(
      'The ticket is for no WebSocket, or for one without TLS.',
    );
  });

  it('that is used up is not tried again: the next one is a new one', async () => {
    server.options.verifyClient = () => tickets > 1;
    const policies = testClient(service, { push: 'websocket' });
    await until(() => policies.status().push === 'up');
    expect(tickets).toBe(2);
    expect(policies.said('push-lost')).toHaveLength(1);
  });

  it('that is refused leaves the client to poll', async () => {
    service.lie = ({ name }) =>
      name.includes('tickets') ? problem(503, 'unavailable') : undefined;
    const policies = testClient(service, { push: 'websocket' });
    await policies.ready();
    await until(() => policies.said('push-lost').length === 1);
    expect(policies.status()).toMatchObject({ push: 'down', ready: true });
  });
});
