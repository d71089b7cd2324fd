import { describe, expect, it } from 'vitest';
import { Forbidden } from '../../../src/core/errors/app-error.ts';
import { textDigest } from '../../../src/core/packages/digest.ts';
import { inAudience } from '../../../src/core/policies/in-audience.ts';
import { readerOf } from '../../../src/http/reader-of.ts';
import { ApiDesk } from './api-desk.ts';
import { deskWithCanary, leaseMs } from './desk-with-canary.ts';

type Headers = Readonly<Record<string, string>>;

type Named = Readonly<Record<'snapshot' | 'bodyDigest', string>>;
interface Item extends Named {
  readonly canary: {
    readonly run: number;
    readonly holdsSeconds: number;
    readonly stable: Named;
  } | null;
}

/** What a caller is given, by all three ways of asking. */
async function given(desk: ApiDesk, who: 'reader' | 'service' | 'monitor', headers: Headers = {}) {
  const rule = await desk.ask(who, 'GET /api/policies/epa', { headers });
  const manifest = await desk.done(who, 'GET /api/manifest', { headers });
  const json = { query: '{policies{snapshot bodyDigest rule}}' };
  const graph = await desk.done(who, 'POST /api/graphql', { headers, json });
  const [item] = manifest['items'] as Item[];
  const { policies } = graph['data'] as { policies: (Named & { rule: object })[] };
  const snapshot = rule.headers.get('etag')?.slice(1, -1);
  expect([item?.snapshot, policies[0]?.snapshot]).toEqual([snapshot, snapshot]);
  expect(policies[0]?.rule).toEqual(rule.body);
  const digest = `sha256:${textDigest(rule.text)}`;
  expect([item?.bodyDigest, policies[0]?.bodyDigest]).toEqual([digest, digest]);
  const run = rule.headers.get('x-canary-run');
  expect(item?.canary?.run ?? null).toBe(run === null ? null : Number(run));
  return {
    snapshot,
    run,
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

  it('tells its readers what they go back to when they cannot ask any more', async () => {
    const { desk } = await deskWithCanary({ region: 'NCR' });
    const [mine, others] = await Promise.all(
      (['reader', 'service'] as const).map(async (who) => {
        const { items } = (await desk.done(who, 'GET /api/manifest')) as { items: Item[] };
        return items[0];
      }),
    );
    const { snapshot, bodyDigest } = others!;
    expect(mine?.canary).toEqual({
      run: 7,
      holdsSeconds: leaseMs / 1000,
      stable: { snapshot, version: '1.0.0', bodyDigest },
    });
    expect(others?.canary).toBeNull();
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
