import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakePolicies } from '../../../support/fake-policies.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';
import { startService, type TestService } from '../../../support/start-service.ts';

// What only a real connection can do to the real `fetch`.
let server: TestService;
let truth: FakePolicies;
let lie: (request: IncomingMessage, response: ServerResponse) => boolean;
let policies: TestClient;

beforeEach(async () => {
  truth = new FakePolicies();
  truth.publish('pm25', { limit: 35 });
  lie = () => false;
  server = await startService((request, response) => {
    if (lie(request, response)) return;
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    void answerTruly(request, response, closed.signal).catch(() => response.destroy());
  });
  policies = testClient(
    { baseUrl: server.origin, fetch },
    { pollMs: 100, readyTimeoutMs: 20_000, receipts: false },
  );
  await policies.ready();
});
afterEach(async () => {
  await policies.close();
  await server.stop();
});

async function answerTruly(
  { url = '', headers }: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const answer = await truth.fetch(`http://hms.test${url}`, {
    headers: headers as Record<string, string>,
    signal,
  });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const chunk of answer.body ?? []) response.write(chunk);
  response.end();
}

async function until(isSo: () => boolean): Promise<void> {
  const endsMs = performance.now() + 15_000;
  while (!isSo() && performance.now() < endsMs) await new Promise((done) => setTimeout(done, 5));
  expect(isSo(), isSo.toString()).toBe(true);
}

const limit = () => policies.getSync<{ limit: number }>('pm25').limit;

it('half a manifest, and a connection that is cut', async () => {
  let lies = 0;
  lie = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"channel":"prod","items":[');
    setImmediate(() => response.destroy());
    return ++lies < 3;
  };
  await until(() => policies.said('poll-failed').length > 0);
  expect(policies.said('poll-failed')[0]?.error).toMatchObject({ name: 'BadAnswerError' });
  expect(limit()).toBe(35);
  lie = () => false;
  truth.publish('pm25', { limit: 25 });
  await until(() => limit() === 25);
});

it('half a rule, of a length that was promised', async () => {
  const snapshot = truth.publish('pm25', { limit: 25 });
  let halves = 0;
  lie = ({ url }, response) => {
    if (url?.endsWith(snapshot) !== true || ++halves > 3) return false;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
    response.write('{"id":"pm25","ver');
    setImmediate(() => response.destroy());
    return true;
  };
  await until(() => policies.said('missing').length > 0);
  expect(limit()).toBe(35);
  expect(policies.said('refused')).toEqual([]);
});

it('a redirect, to where no token must go', async () => {
  const asked: string[] = [];
  await using other = await startService((request, response) => {
    asked.push(String(request.url));
    response.end('{}');
  });
  lie = (_, response) => {
    response.writeHead(302, { location: `${other.origin}/api/manifest` }).end();
    return true;
  };
  await until(() => policies.said('poll-failed').length > 0);
  expect(asked).toEqual([]);
  expect(limit()).toBe(35);
});

it('nobody there, and back on the same port', async () => {
  await server.stop();
  await until(() => policies.said('poll-failed').length > 0);
  expect(policies.said('poll-failed')[0]?.message).toContain(`No answer from ${server.origin}`);
  truth.publish('pm25', { limit: 25 });
  expect(limit()).toBe(35);
  await server.start();
  await until(() => limit() === 25);
  expect(policies.said('recovered')).toHaveLength(1);
});
