import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { bucketRateLimiter } from '../../../src/adapters/local/bucket-rate-limiter.ts';
import { cachedVerifier } from '../../../src/core/identity/cached-verifier.ts';
import type { RateLimits } from '../../../src/core/limits/rate-limits.ts';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import type { StoredRecord } from '../../../src/ports/record-store.ts';
import { createApp } from '../../../src/http/app.ts';
import { fastRule, partOf, ruleAtHand } from '../../../src/http/fast-rule.ts';
import { openRoutes } from '../../../src/http/handlers/open-handlers.ts';
import { queryRoutes } from '../../../src/http/handlers/query-handlers.ts';
import { ruleRoutes } from '../../../src/http/handlers/rule-handlers.ts';
import { nodeListener } from '../../../src/http/node-listener.ts';
import { checkResponse } from '../../support/check-response.ts';
import { ApiDesk } from './api-desk.ts';

const limits = { tenant: { perSecond: 4, burst: 8 }, client: { perSecond: 2, burst: 5 } };
const path = '/api/policies/permit';

describe('rate limits', () => {
  let desk: ApiDesk;
  let record: StoredRecord | undefined;
  beforeEach(async () => {
    desk = new ApiDesk();
    await desk.rule('permit', '1.0.0', 'prod');
    record = await desk.deps.records.get(channelKey('demo', 'permit', 'prod'));
  });

  /** The API with a limiter; the token is the name of the caller. */
  function limited(given: RateLimits = limits) {
    const { deps } = desk;
    const limiter = bucketRateLimiter(given, () => deps.clock.nowMs());
    const verifier = cachedVerifier(deps.verifier, deps.clock, { maxTokens: 10 });
    const records = { ...deps.records, peek: () => record };
    const withLimits = { ...deps, records, verifier, limiter };
    const app = createApp(withLimits, [
      ...ruleRoutes(deps),
      ...queryRoutes(deps),
      ...openRoutes({
        tokenUrl: 'https://hms.test/oauth2/token',
        readAsset: async () => new Uint8Array(),
      }),
    ]);
    const ask = async (who: string, target = path): Promise<Response> =>
      app.request(target, { headers: { authorization: `Bearer ${who}` } });
    const statuses = async (who: string, count: number, target = path): Promise<number[]> => {
      const answers: number[] = [];
      for (let nth = 0; nth < count; nth++) answers.push((await ask(who, target)).status);
      return answers;
    };
    return { deps: withLimits, app, ask, statuses };
  }

  const request = (who: string, target = path) => ({
    method: 'GET',
    target,
    authorization: `Bearer ${who}`,
    channel: undefined,
    ifNoneMatch: undefined,
    forOthers: false,
  });

  it('refuse what is over that of the client, and say how to go on', async () => {
    const { ask, statuses } = limited();
    expect(await statuses('reader', 5)).toEqual([200, 200, 200, 200, 200]);
    const refused = await ask('reader');
    const { status, headers } = refused;
    const bytes = Buffer.from(await refused.arrayBuffer());
    checkResponse({ method: 'GET', path }, { status, headers, bytes });
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('ratelimit-policy')).toBe('"tenant";q=8;w=2, "client";q=5;w=3');
    expect(headers.get('ratelimit')).toBe('"client";r=0;t=1');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(bytes.toString())).toMatchObject({
      code: 'too_many_requests',
      detail: 'This client makes too many calls: wait 1 s, and then call more slowly.',
      requestId: headers.get('x-request-id'),
    });
  });

  it('let a call through after the time that they name', async () => {
    const { ask, statuses } = limited({ tenant: null, client: { perSecond: 1, burst: 1 } });
    expect(await statuses('reader', 2)).toEqual([200, 429]);
    expect((await ask('reader')).headers.get('ratelimit-policy')).toBe('"client";q=1;w=1');
    await desk.deps.clock.advance(999);
    expect((await ask('reader')).status).toBe(429);
    await desk.deps.clock.advance(1);
    expect((await ask('reader')).status).toBe(200);
  });

  it('count the calls of a tenant together', async () => {
    const { ask, statuses } = limited();
    expect(await statuses('reader', 6)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await statuses('service', 4)).toEqual([200, 200, 200, 429]);
    const refused = await ask('service');
    expect(refused.headers.get('ratelimit')).toBe('"tenant";r=0;t=1');
  });

  it('let one client that calls too often take nothing from the others', async () => {
    const { statuses } = limited();
    expect((await statuses('reader', 500)).filter((status) => status === 200)).toHaveLength(5);
    expect(await statuses('service', 3)).toEqual([200, 200, 200]);
    await desk.deps.clock.advance(1000);
    expect((await statuses('reader', 500)).filter((status) => status === 200)).toHaveLength(2);
    expect(await statuses('service', 2)).toEqual([200, 200]);
  });

  it('let one tenant take nothing from another', async () => {
    const { statuses } = limited();
    await statuses('reader', 200);
    await statuses('service', 200);
    expect(await statuses('editor', 1)).toEqual([429]);
    const list = '/api/policies';
    expect(await statuses('stranger', 6, list)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it('come after the token, and not at all for what is open', async () => {
    const { statuses } = limited();
    expect(await statuses('nobody', 20)).toEqual(Array(20).fill(401));
    expect(await statuses('reader', 20, '/healthz')).toEqual(Array(20).fill(200));
    expect(await statuses('reader', 5)).not.toContain(429);
  });

  it('are none without a limiter', async () => {
    const app = createApp(desk.deps, ruleRoutes(desk.deps));
    const headers = { authorization: 'Bearer reader' };
    for (let nth = 0; nth < 50; nth++) {
      expect((await app.request(path, { headers })).status).toBe(200);
    }
    expect((await fastRule(desk.deps, request('reader')))?.status).toBe(200);
  });

  it('hold for fastRule, which leaves the refusal to the app', async () => {
    const { deps, ask } = limited();
    const { records } = desk.deps;
    const answer = async (who: string) => fastRule({ ...deps, records }, request(who));
    for (let nth = 0; nth < 5; nth++) {
      expect((await answer('reader'))?.status).toBe(200);
    }
    expect(await answer('reader')).toBeNull();
    expect((await ask('reader')).status).toBe(429);
    expect((await answer('service'))?.status).toBe(200);
  });

  it('hold for ruleAtHand, which counts what it answers and nothing else', async () => {
    const { deps, ask } = limited();
    await deps.verifier.verify('reader');
    for (let nth = 0; nth < 50; nth++) {
      expect(ruleAtHand(deps, request('reader', `${path}?channel=nonsense`))).toBeNull();
    }
    // What is in memory counts as a quarter of a call.
    for (let nth = 0; nth < 20; nth++) {
      expect(ruleAtHand(deps, request('reader'))?.status).toBe(200);
    }
    expect(ruleAtHand(deps, request('reader'))).toBeNull();
    expect((await ask('reader')).status).toBe(429);
    await desk.deps.clock.advance(125);
    expect((await ask('reader')).status).toBe(429);
    expect(ruleAtHand(deps, request('reader'))?.status).toBe(200);
    expect(ruleAtHand(deps, request('reader'))).toBeNull();
  });

  it('count a large answer from memory as a whole call', () => {
    const reply = { status: 200, headers: {}, body: null };
    expect(partOf(reply)).toBe(0.25);
    expect(partOf({ ...reply, body: 'x'.repeat(65_536) })).toBe(0.25);
    expect(partOf({ ...reply, body: 'x'.repeat(65_537) })).toBe(1);
    expect(partOf({ ...reply, body: new Uint8Array(65_536) })).toBe(0.25);
    expect(partOf({ ...reply, body: new Uint8Array(65_537) })).toBe(1);
  });

  it('hold for the server, each call counted once, with the same refusal', async () => {
    const { deps, app } = limited();
    const server = createServer(nodeListener(deps, app));
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const headers = { authorization: 'Bearer reader', connection: 'close' };
    const answers: Response[] = [];
    // The first is the app's, who gets to know the token; the others come from memory.
    for (let nth = 0; nth < 1 + 16 + 1; nth++) {
      answers.push(await fetch(`http://127.0.0.1:${port}${path}`, { headers }));
    }
    const [refused, ...others] = answers.toReversed();
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(others.map((answer) => answer.headers.get('ratelimit')))).toEqual(
      new Set([null]),
    );
    expect(refused?.headers.get('ratelimit')).toBe('"client";r=0;t=1');
    expect(await refused?.json()).toMatchObject({ code: 'too_many_requests' });
  });
});
