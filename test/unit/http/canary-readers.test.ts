import { describe, expect, it } from 'vitest';
import { Forbidden } from '../../../src/core/errors/app-error.ts';
import type { Canary } from '../../../src/core/policies/canary.ts';
import { inAudience } from '../../../src/core/policies/in-audience.ts';
import { startCanary } from '../../../src/core/policies/move-channel.ts';
import { channelHeadKey, channelKey, summaryKey } from '../../../src/core/policies/policy-keys.ts';
import { placeSnapshot } from '../../../src/core/policies/read-rule.ts';
import { requireSnapshot } from '../../../src/core/policies/find-snapshot.ts';
import { getRecord } from '../../../src/core/records.ts';
import { readerOf } from '../../../src/http/reader-of.ts';
import { ApiDesk } from './api-desk.ts';

const leaseMs = 90_000;

/** A rule in prod, and a candidate that an audience gets, as run 7 makes it. */
async function deskWithCanary(audience: Partial<Canary> = {}) {
  const desk = new ApiDesk();
  const stable = await desk.rule('epa', '1.0.0', 'prod');
  const candidate = await desk.rule('epa', '2.0.0');
  const { records, clock } = desk.deps;
  const [channelAt, summaryAt, headAt] = [
    channelKey('demo', 'epa', 'prod'),
    summaryKey('demo', 'epa'),
    channelHeadKey('demo', 'prod'),
  ];
  const nowMs = clock.nowMs();
  const named = await requireSnapshot({ records }, 'demo', 'epa', candidate);
  const rule = await placeSnapshot({ records }, 'demo', 'epa', named);
  const everyone = { weight: 10_000, salt: 'salt-7', region: null, enforcedFromMs: null };
  const canary = { ...everyone, ...audience, run: 7, rule, leaseUntilMs: nowMs + leaseMs };
  const [channel, summary, head] = await Promise.all([
    getRecord({ records }, channelAt),
    getRecord({ records }, summaryAt),
    getRecord({ records }, headAt),
  ]);
  if (channel === undefined || summary === undefined || head === undefined) throw new Error('none');
  const after = startCanary(channel.value, canary, nowMs);
  const { earlier: _, ...state } = after;
  const { run: _run, rule: _rule, ...terms } = canary;
  await desk.put(channelAt, after);
  await desk.put(summaryAt, {
    ...summary.value,
    channels: { ...summary.value.channels, prod: state },
  });
  await desk.put(headAt, { ...head.value, canaries: { epa: terms } });
  return { desk, stable, candidate, audience: canary };
}

type Headers = Readonly<Record<string, string>>;

/** What a caller is given, by all three ways of asking. */
async function given(desk: ApiDesk, who: 'reader' | 'service' | 'monitor', headers: Headers = {}) {
  const rule = await desk.ask(who, 'GET /api/policies/epa', { headers });
  const manifest = await desk.done(who, 'GET /api/manifest', { headers });
  const json = { query: '{policies{snapshot rule}}' };
  const graph = await desk.done(who, 'POST /api/graphql', { headers, json });
  const [item] = manifest['items'] as { snapshot: string }[];
  const { policies } = graph['data'] as { policies: { snapshot: string; rule: object }[] };
  const snapshot = rule.headers.get('etag')?.slice(1, -1);
  expect([item?.snapshot, policies[0]?.snapshot]).toEqual([snapshot, snapshot]);
  expect(policies[0]?.rule).toEqual(rule.body);
  return {
    snapshot,
    run: rule.headers.get('x-canary-run'),
    shadow: rule.headers.get('x-shadow-snapshot'),
  };
}

describe('a canary', () => {
  it('gives its candidate to its region, and nobody else', async () => {
    const { desk, stable, candidate } = await deskWithCanary({ region: 'NCR' });
    expect(await given(desk, 'reader')).toEqual({ snapshot: candidate, run: '7', shadow: null });
    expect(await given(desk, 'service')).toEqual({ snapshot: stable, run: null, shadow: null });
    const ncr = { 'x-region': 'NCR' };
    expect((await given(desk, 'monitor', ncr)).snapshot).toBe(candidate);
    expect((await given(desk, 'monitor', { 'x-region': 'SF' })).snapshot).toBe(stable);
    desk.deps.clock.set(desk.deps.clock.nowMs() + leaseMs);
    expect((await given(desk, 'reader')).snapshot).toBe(stable);
  });

  it('gives it to exactly the subjects that the published bucketing says', async () => {
    const { desk, stable, candidate, audience } = await deskWithCanary({ weight: 3000 });
    const arms = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const subject = `bot-${i}`;
      const wanted = inAudience(audience, { subject, region: undefined }) ? candidate : stable;
      arms.add(wanted);
      expect((await given(desk, 'monitor', { 'x-subject': subject })).snapshot).toBe(wanted);
    }
    expect(arms.size).toBe(2);
  });

  it('shows a candidate that is not yet effective beside the rule', async () => {
    const enforcedFromMs = Date.UTC(2027, 0, 1);
    const { desk, stable, candidate } = await deskWithCanary({ region: 'NCR', enforcedFromMs });
    expect(await given(desk, 'reader')).toEqual({ snapshot: stable, run: null, shadow: candidate });
    expect((await given(desk, 'service')).shadow).toBeNull();
  });

  it('has a manifest of its own, and caches are told by what it differs', async () => {
    const { desk } = await deskWithCanary({ region: 'NCR' });
    const [mine, others] = [
      await desk.ask('reader', 'GET /api/manifest'),
      await desk.ask('service', 'GET /api/manifest'),
    ];
    const known = { 'if-none-match': others.headers.get('etag') ?? '' };
    expect((await desk.ask('service', 'GET /api/manifest', { headers: known })).status).toBe(304);
    expect((await desk.ask('reader', 'GET /api/manifest', { headers: known })).status).toBe(200);
    const rule = await desk.ask('reader', 'GET /api/policies/epa');
    for (const { headers } of [mine, others, rule]) {
      expect(headers.get('vary')).toBe('Authorization, X-Channel, X-Subject, X-Region');
    }
  });
});

const calls = [
  ['GET /api/policies/epa', {}],
  ['GET /api/manifest', {}],
  ['POST /api/graphql', { json: { query: '{policies{id}}' } }],
] as const;

describe('a caller that names somebody else', () => {
  it.each(calls)('is refused without the scope for it: %s', async (call, asked) => {
    const desk = new ApiDesk();
    await desk.rule('epa', '1.0.0', 'prod');
    for (const headers of [{ 'x-subject': 'bot-1' }, { 'x-region': 'NCR' }] as Headers[]) {
      await desk.refused(403, 'reader', call, { ...asked, headers });
      await desk.done('monitor', call, { ...asked, headers });
      await desk.done('admin', call, { ...asked, headers });
    }
  });

  it.each(calls)('is refused a name that could be none: %s', async (call, asked) => {
    const desk = new ApiDesk();
    for (const [name, value] of [
      ['x-subject', 'two words'],
      ['x-subject', ''],
      ['x-subject', 'x'.repeat(257)],
      ['x-region', 'N.C.R'],
      ['x-region', 'N'.repeat(65)],
    ] as const) {
      const pointers = await desk.refused(400, 'monitor', call, {
        ...asked,
        headers: { [name]: value },
      });
      expect(pointers).toEqual([`header:${name}`]);
    }
  });
});

describe('readerOf', () => {
  const of = (scopes: string[]) => ({
    ...new ApiDesk().principal('reader'),
    scopes: new Set(scopes),
  });

  it('is the caller, unless the headers name another', () => {
    expect(readerOf(of([]), {})).toMatchObject({ subject: 'reader', region: 'NCR' });
    const trusted = of(['act:subject']);
    expect(readerOf(trusted, { 'x-subject': 'bot' })).toEqual({ subject: 'bot', region: 'NCR' });
    expect(readerOf(trusted, { 'x-region': 'SF' })).toEqual({ subject: 'reader', region: 'SF' });
    expect(() => readerOf(of([]), { 'x-subject': 'reader' })).toThrow(Forbidden);
  });
});
