import { describe, expect, it } from 'vitest';
import { cachedVerifier } from '../../../src/core/identity/cached-verifier.ts';
import { channelHeadKey } from '../../../src/core/policies/policy-keys.ts';
import { manifestAtHand } from '../../../src/http/fast-manifest.ts';
import { type ManifestQuestion, manifestReplies } from '../../../src/http/manifest-replies.ts';
import type { Reply } from '../../../src/http/reply.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { ApiDesk } from './api-desk.ts';
import { deskWithCanary, leaseMs } from './desk-with-canary.ts';

const everyone = { subject: 'bot-1', region: undefined };
const tried = { subject: 'bot-2', region: 'NCR' };
const question: ManifestQuestion = {
  tenant: 'demo',
  channel: 'prod',
  reader: everyone,
  cursor: undefined,
  limit: 100,
};

function itemsOf({ body }: Reply): { id: string; version: string | null }[] {
  return (JSON.parse(Buffer.from(body as Uint8Array).toString()) as { items: [] }).items;
}

describe('manifestReplies', () => {
  it('reads the list once for all who ask after a change, and again after the next', async () => {
    const desk = new ApiDesk();
    const { port: records, calls, reset } = countingRecords(desk.deps.records);
    const replies = manifestReplies({ ...desk.deps, records });
    for (const version of ['1.0.0', '2.0.0']) {
      await desk.rule('epa', version, 'prod');
      reset();
      const all = await Promise.all(
        Array.from({ length: 50 }, () => replies.reply(question, '"prod-x"')),
      );
      expect(new Set(all).size).toBe(1);
      expect(itemsOf(all[0]!)).toMatchObject([{ id: 'epa', version }]);
      expect(await replies.reply(question, undefined)).toBe(all[0]);
      expect(calls.query).toBe(1);
    }
  });

  it('asks anew for whom a read failed, and keeps no failure', async () => {
    const desk = new ApiDesk();
    await desk.rule('epa', '1.0.0', 'prod');
    let isBroken = true;
    const records = interceptMethods(desk.deps.records, { query: 0 }, async (_, __, call) => {
      if (isBroken) throw new Error('the store is away');
      return call();
    });
    const replies = manifestReplies({ ...desk.deps, records });
    const both = [replies.reply(question, undefined), replies.reply(question, undefined)];
    const failed = await Promise.allSettled(both);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isBroken = false;
    expect(itemsOf(await replies.reply(question, undefined))).toHaveLength(1);
  });

  it('is never other than what is made for one call alone', async () => {
    const { desk } = await deskWithCanary({ region: 'NCR' });
    const { clock } = desk.deps;
    const replies = manifestReplies(desk.deps);
    const seen = new Set<unknown>();
    const compare = async () => {
      for (const reader of [everyone, tried, everyone, tried]) {
        for (const limit of [1, 100]) {
          const asked = { ...question, reader, limit };
          const found = await replies.reply(asked, undefined);
          expect(found).toEqual(await manifestReplies(desk.deps).reply(asked, undefined));
          const tag = found.headers['etag'];
          expect((await replies.reply(asked, tag)).status).toBe(304);
          seen.add(`${tag} ${limit}`);
        }
      }
    };
    await compare();
    clock.set(clock.nowMs() + leaseMs);
    await compare();
    await desk.rule('fcc', '1.0.0', 'prod');
    await compare();
    const effective = new Date(clock.nowMs() + 1000).toISOString();
    await desk.done('editor', 'POST /api/policies/fcc/publish', {
      body: `id: fcc\nversion: 2.0.0\neffective: ${effective}\n`,
      type: 'application/yaml',
      headers: { 'x-channel': 'prod' },
    });
    await compare();
    clock.set(clock.nowMs() + 1000);
    await compare();
    // One for each of two readers; none when they have come together again; three for the changes.
    expect(seen.size).toBe(2 * (2 + 3));
  });

  it('keeps to the tenant, the channel and the page', async () => {
    const desk = new ApiDesk();
    for (const id of ['a', 'b']) {
      await desk.rule(id, '1.0.0', 'prod');
      await desk.rule(id, '2.0.0', 'test');
    }
    const replies = manifestReplies(desk.deps);
    const ids = async (given: Partial<ManifestQuestion>) =>
      itemsOf(await replies.reply({ ...question, ...given }, undefined)).map(
        ({ id, version }) => `${id} ${version}`,
      );
    for (let times = 0; times < 2; times++) {
      expect(await ids({})).toEqual(['a 1.0.0', 'b 1.0.0']);
      expect(await ids({ channel: 'test' })).toEqual(['a 2.0.0', 'b 2.0.0']);
      expect(await ids({ limit: 1 })).toEqual(['a 1.0.0']);
      expect(await ids({ cursor: 'a', limit: 1 })).toEqual(['b 1.0.0']);
      expect(await ids({ tenant: 'other' })).toEqual([]);
    }
  });
});

describe('manifestAtHand', () => {
  async function counter() {
    const { desk } = await deskWithCanary({ region: 'NCR' });
    const verifier = cachedVerifier(desk.deps.verifier, desk.deps.clock, { maxTokens: 10 });
    const head = await desk.deps.records.get(channelHeadKey('demo', 'prod'));
    const peek = ({ sort }: { readonly sort: string }) =>
      sort === channelHeadKey('demo', 'prod').sort ? head : undefined;
    const records = { ...desk.deps.records, peek };
    const manifests = manifestReplies(desk.deps);
    const at = (who: string, given: Readonly<Record<string, unknown>> = {}) =>
      manifestAtHand(
        { ...desk.deps, records, verifier, manifests },
        {
          method: 'GET',
          target: '/api/manifest?channel=prod',
          authorization: `Bearer ${who}`,
          channel: undefined,
          ifNoneMatch: undefined,
          forOthers: false,
          ...given,
        },
      );
    for (const who of ['reader', 'service', 'stranger']) await verifier.verify(who);
    return { desk, manifests, at };
  }

  it('answers what the app answers, once it has made it, to whom it was made for', async () => {
    const { desk, manifests, at } = await counter();
    expect(at('reader')).toBeNull();
    for (const who of ['reader', 'service'] as const) {
      const asked = { ...question, reader: desk.principal(who), limit: 10_000 };
      expect(at(who)).toBeNull();
      const made = await manifests.reply(asked, undefined);
      expect(at(who)).toBe(made);
      const told = await desk.ask(who, 'GET /api/manifest?channel=prod');
      expect(Buffer.from(at(who)?.body as Uint8Array).toString()).toBe(told.text);
      for (const [name, value] of Object.entries(at(who)?.headers ?? {})) {
        expect(told.headers.get(name), name).toBe(value);
      }
      const known = at(who, { ifNoneMatch: told.headers.get('etag') });
      expect(known).toMatchObject({ status: 304, body: null });
    }
    expect(at('reader')?.headers['etag']).not.toBe(at('service')?.headers['etag']);
  });

  it.each([
    ['another method', { method: 'HEAD' }],
    ['a page', { target: '/api/manifest?channel=prod&limit=1' }],
    ['another path', { target: '/api/manifests' }],
    ['a channel that is none', { target: '/api/manifest?channel=nightly' }],
    ['a bad header, though the query counts', { channel: 'nightly' }],
    ['who speaks for others', { forOthers: true }],
    ['no token', { authorization: undefined }],
    ['a token that was not verified', { authorization: 'Bearer nobody' }],
    ['a channel that is not in memory', { target: '/api/manifest?channel=test' }],
    ['another tenant', { authorization: 'Bearer stranger', channel: 'test' }],
  ])('leaves %s to the app', async (_, given) => {
    const { desk, manifests, at } = await counter();
    const reader = desk.principal('reader');
    await manifests.reply({ ...question, reader, limit: 10_000 }, undefined);
    expect(at('reader')).not.toBeNull();
    expect(at('reader', given)).toBeNull();
  });
});
