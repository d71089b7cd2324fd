import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SleeplessClock } from '../../support/core-deps.ts';
import { hmacSha256 } from '../../../src/core/gateway/hmac.ts';
import { callKeyOf } from '../../../src/core/gateway/sign-call.ts';
import type { SecretStore } from '../../../src/ports/secret-store.ts';
import { countCalls, type Counted } from '../../support/count-calls.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { freePort } from '../../support/free-port.ts';
import { type GatewayDesk, startGatewayDesk } from '../../support/gateway-desk.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { startService } from '../../support/start-service.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

/** A target that does as it is told, and remembers what it was asked. */
interface Target {
  readonly origin: string;
  readonly asked: { readonly method: string; readonly body: string }[];
  does: Behaviour;
}

const well: Behaviour = (response) => void response.end('ok');
const resets: Behaviour = (response) => void response.destroy();
const notNow: Behaviour = (response) => void response.writeHead(503).end('not now');

describe('the gateway', () => {
  const clock = new SleeplessClock();
  const counted = countingRecords(memoryRecords(clock));
  const records = counted.port;
  const open: AsyncDisposable[] = [];
  let countedSecrets: Counted<SecretStore, 'get' | 'getPrevious'>;
  let desk: GatewayDesk;

  beforeEach(async () => {
    clock.set(clock.nowMs() + 1_000_000);
    countedSecrets = countCalls(memorySecrets(), { get: 0, getPrevious: 0 });
    desk = await startGatewayDesk({ clock, records }, { clock, secrets: countedSecrets.port });
    open.push(desk);
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
  });

  const target = async (does: Behaviour = well): Promise<Target> => {
    const service = await startService(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk);
      } catch {
        return;
      }
      const body = Buffer.concat(chunks).toString();
      made.asked.push({ method: request.method ?? '', body });
      made.does(response, request);
    });
    open.push(service);
    const made: Target = { origin: service.origin, asked: [], does };
    return made;
  };
  const targets = async (...all: Behaviour[]) => Promise.all(all.map(target));
  const gone = async () => `http://127.0.0.1:${await freePort()}`;
  const register = async (
    [first, ...others]: readonly (Target | string)[],
    secondary?: Target,
    timeoutMs = 5000,
    secretId?: string,
  ) => {
    const url = (one: Target | string = '') => (typeof one === 'string' ? one : one.origin);
    const secondaryUrl = secondary?.origin ?? null;
    const manifest = { url: url(first), replicas: others.map(url), secondaryUrl, timeoutMs };
    await desk.register(manifest, [], secretId);
  };
  const call = async (method = 'GET', body?: RequestInit['body']): Promise<number> => {
    const init = body === undefined ? {} : { body, duplex: 'half' as const };
    const response = await desk.call('/svc/check/x', { method, ...init });
    await response.arrayBuffer();
    return response.status;
  };
  const calls = async (count: number, method?: string) => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i++) statuses.push(await call(method));
    return statuses;
  };
  const asked = (all: readonly Target[]) => all.map((one) => one.asked.length);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

  it('spreads calls over all replicas', async () => {
    const all = await targets(well, well, well);
    await register(all);
    await calls(90);
    for (const count of asked(all)) expect(count).toBeGreaterThan(10);
  });

  it('sends a call elsewhere when it never left, whatever it is', async () => {
    const only = await target();
    await register([await gone(), only]);
    const bodies = ['POST', 'PATCH', 'PUT', 'GET'].flatMap((method) =>
      Array.from({ length: 3 }, () => method),
    );
    for (const method of bodies) {
      expect(await call(method, method === 'GET' ? undefined : 'data')).toBe(200);
    }
    expect(only.asked.map(({ method }) => method)).toEqual(bodies);
  });

  it('sends a large body elsewhere too, so long as none of it has gone', async () => {
    const only = await target();
    await register([await gone(), only]);
    for (let i = 0; i < 6; i++) {
      expect(await call('POST', new Blob(['x'.repeat(300_000)]).stream())).toBe(200);
    }
    expect(only.asked.map(({ body }) => body.length)).toEqual(Array(6).fill(300_000));
  });

  it.each([
    ['is reset', resets],
    ['has a bad status', notNow],
    [
      'is half there',
      (response) => {
        response.writeHead(200, { 'content-length': 10 }).write('half');
        setTimeout(() => response.destroy(), 10);
      },
    ],
  ] satisfies [string, Behaviour][])('asks another when the answer %s', async (_, does) => {
    const [bad, good] = await targets(does, well);
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      const before = bad!.asked.length;
      for (let tries = 0; bad!.asked.length === before; tries++) {
        // Each time as if it had not been seen before.
        clock.set(clock.nowMs() + 1_000_000);
        await register([bad!, good!]);
        const body = method === 'PUT' || method === 'DELETE' ? 'the same' : undefined;
        expect(await call(method, body)).toBe(200);
        expect(good!.asked.at(-1)).toEqual({ method, body: body ?? '' });
        if (tries > 60) throw new Error('never asked');
      }
    }
  });

  it('never does twice what is not the same as once', async () => {
    const all = await targets(resets, resets);
    await register(all);
    expect(await call('POST', 'pay')).toBe(502);
    expect(await call('PATCH', 'pay')).toBe(502);
    expect(sum(asked(all))).toBe(2);
  });

  it('does not repeat what it has not kept', async () => {
    let begun = 0;
    const service = await startService((request) => {
      begun += 1;
      request.once('data', () => request.socket.destroy());
      request.on('error', () => undefined);
    });
    open.push(service);
    await desk.register({ url: service.origin });
    expect(await call('PUT', new Blob(['x'.repeat(3_000_000)]).stream())).toBe(502);
    expect(begun).toBe(1);
  });

  it('repeats a small body of unknown length', async () => {
    const all = await targets(notNow, notNow, notNow);
    await register(all);
    expect(await call('PUT', new Blob(['abc']).stream())).toBe(503);
    expect(all.flatMap((one) => one.asked.map(({ body }) => body))).toEqual(['abc', 'abc', 'abc']);
  });

  it('tries three times at most, and passes on what the last one said', async () => {
    const all = await targets(notNow, notNow, notNow, notNow);
    await register(all);
    const response = await desk.call('/svc/check/x');
    expect([response.status, await response.text()]).toEqual([503, 'not now']);
    expect(sum(asked(all))).toBe(3);
  });

  it('keeps calls from a replica that fails, for a while, and longer the next time', async () => {
    const [bad, good] = await targets(resets, well);
    await register([bad!, good!]);
    await calls(40);
    expect(bad!.asked).toHaveLength(3);
    clock.set(clock.nowMs() + 5000);
    await calls(40);
    expect(bad!.asked).toHaveLength(4);
    clock.set(clock.nowMs() + 9000);
    await calls(40);
    expect(bad!.asked).toHaveLength(4);
    bad!.does = well;
    clock.set(clock.nowMs() + 1000);
    await calls(40);
    expect(bad!.asked.length).toBeGreaterThan(10);
  });

  it('opens the circuit of the only target, and says when to come back', async () => {
    const only = await target(resets);
    await register([only]);
    expect(await calls(5, 'POST')).toEqual([502, 502, 502, 502, 502]);
    only.does = well;
    const response = await desk.call('/svc/check/x', { method: 'POST' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(only.asked).toHaveLength(5);
    clock.set(clock.nowMs() + 5000);
    expect(await calls(3, 'POST')).toEqual([200, 200, 200]);
  });

  it('goes to the secondary while nothing primary is well, and back by itself', async () => {
    const [first, second, other] = await targets(resets, resets, well);
    await register([first!, second!], other);
    // What is safe to repeat fails for nobody.
    expect(new Set(await calls(40))).toEqual(new Set([200]));
    const before = sum(asked([first!, second!]));
    await calls(20);
    expect(sum(asked([first!, second!]))).toBe(before);
    first!.does = well;
    clock.set(clock.nowMs() + 20_000);
    await calls(20);
    const onSecondary = other!.asked.length;
    expect(await calls(20)).toEqual(Array(20).fill(200));
    expect(other!.asked).toHaveLength(onSecondary);
    expect(first!.asked.length).toBeGreaterThan(10);
  });

  it('goes by what the probes of health found', async () => {
    const [first, other] = await targets(well, well);
    const manifest = { url: first!.origin, secondaryUrl: other!.origin };
    await desk.register(manifest, [first!.origin]);
    await calls(5);
    expect(asked([first!, other!])).toEqual([0, 5]);
    await desk.register(manifest);
    await calls(5);
    expect(asked([first!, other!])).toEqual([5, 5]);
  });

  it('probes an open circuit with one call, whatever else comes', async () => {
    const held: ServerResponse[] = [];
    const [only, other] = await targets(resets, well);
    await register([only!], other);
    await calls(10);
    only!.does = (response) => void held.push(response);
    const before = only!.asked.length;
    clock.set(clock.nowMs() + 60_000);
    const probe = call();
    await expect.poll(() => held.length).toBe(1);
    expect(await calls(10)).toEqual(Array(10).fill(200));
    expect(only!.asked).toHaveLength(before + 1);
    held[0]!.end('ok');
    expect(await probe).toBe(200);
    only!.does = well;
    await calls(5);
    expect(only!.asked).toHaveLength(before + 6);
  });

  it('is told nothing of a target by a caller that waits too short a time', async () => {
    const held: ServerResponse[] = [];
    const only = await target((response) => void held.push(response));
    await register([only]);
    const headers = { 'x-hms-timeout-ms': '20' };
    for (let i = 0; i < 6; i++) {
      expect((await desk.call('/svc/check/x', { headers })).status).toBe(504);
    }
    only.does = well;
    expect(await call()).toBe(200);
  });

  it('lets no tenant have more than so many calls under way', async () => {
    const held: ServerResponse[] = [];
    const all = await targets(
      ...Array.from({ length: 3 }, () => (response: ServerResponse) => void held.push(response)),
    );
    await register(all);
    const many = Array.from({ length: 512 }, () => call('POST'));
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(512);
    const response = await desk.call('/svc/check/x');
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    for (const each of held) each.end('ok');
    expect(new Set(await Promise.all(many))).toEqual(new Set([200]));
    for (const one of all) one.does = well;
    expect(await call()).toBe(200);
  });

  it('counts a stream as under way until it ends, however it does', async () => {
    const only = await target((response) => void response.write('begun'));
    await register([only]);
    const streams = await Promise.all(Array.from({ length: 256 }, () => desk.call('/svc/check/x')));
    // As many as one target gets from one process.
    expect((await desk.call('/svc/check/x')).status).toBe(503);
    await Promise.all(streams.map(async ({ body }) => body?.cancel()));
    only.does = well;
    await expect.poll(() => call()).toBe(200);
  });

  it('reads the service for each call, and what others found once a second', async () => {
    const only = await target();
    await register([only]);
    await call();
    counted.reset();
    await calls(10);
    expect(counted.calls).toEqual({ get: 0, getMany: 10, query: 0, commit: 0 });
    clock.set(clock.nowMs() + 1000);
    await calls(10);
    expect(counted.calls).toEqual({ get: 0, getMany: 20, query: 1, commit: 0 });
    expect(countedSecrets.calls).toEqual({ get: 0, getPrevious: 0 });
  });

  it('reads the key of a service once, and signs each try with it', async () => {
    const headers: IncomingHttpHeaders[] = [];
    const all = await targets(
      ...[503, 200].map((status): Behaviour => (response, request) => {
        headers.push(request.headers);
        response.writeHead(status).end();
      }),
    );
    await register(all, undefined, 5000, 'secret-1');
    await countedSecrets.port.put({ tenant: 'demo', name: 'service/check' }, secret);
    counted.reset();
    for (let i = 0; headers.length === i; i++) expect(await call()).toBe(200);
    for (const sent of headers) {
      const request = new Request('http://check/x', { headers: sent as Record<string, string> });
      // The clock of the gateway is not ours.
      const text = [sent['x-hms-timestamp'], sent['x-request-id'], 'GET', '/x', ''];
      const who = ['demo', 'service', request.headers.get('x-hms-subject')];
      const signed = hmacSha256(callKeyOf(secret), [...text, ...who].join('\n'));
      expect(sent['x-hms-signature']).toBe(`v1,${signed}`);
      expect(Number(sent['x-hms-timestamp'])).toBe(Math.floor(clock.nowMs() / 1000));
    }
    expect(countedSecrets.calls).toEqual({ get: 1, getPrevious: 1 });
    expect(counted.calls.commit).toBe(0);
  });

  it('sends nothing to a service whose key is gone', async () => {
    const only = await target();
    await register([only], undefined, 5000, 'secret-1');
    const response = await desk.call('/svc/check/x');
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringContaining('POST /services/check/secret'),
    ]);
    expect(only.asked).toEqual([]);
  });
});
