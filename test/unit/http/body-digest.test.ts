import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activateDue } from '../../../src/core/policies/activate-due.ts';
import { channelKey, snapshotKey, summaryKey } from '../../../src/core/policies/policy-keys.ts';
import type { KeyOf } from '../../../src/core/records.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { ApiDesk } from './api-desk.ts';

type Fields = Readonly<Record<string, unknown>>;
type Item = Record<'id' | 'snapshot' | 'bodyDigest', string | null> & {
  readonly next: Record<'snapshot' | 'bodyDigest', string> | null;
};

const later = '2026-01-01T01:00:00.000Z';

class Desk extends ApiDesk {
  async publish(id: string, fields: Fields, channel = 'prod'): Promise<string> {
    const told = await this.done('editor', `POST /api/policies/${id}/publish`, {
      body: ruleYaml(id, fields),
      type: 'application/yaml',
      headers: { 'x-channel': channel },
    });
    return String(told['snapshot']);
  }

  async item(id: string, channel = 'prod'): Promise<Item | undefined> {
    const { items } = await this.done('reader', `GET /api/manifest?channel=${channel}`);
    return (items as readonly Item[]).find((item) => item.id === id);
  }

  /** Of the exact bytes that a call answers; the answer tells it, too, where it is known. */
  async digestOf(call: `GET /${string}`, isKnown = true): Promise<string> {
    const answer = await this.open('reader', call);
    expect(answer.status, call).toBe(200);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const digest = createHash('sha256').update(bytes).digest();
    const told = `sha-256=:${digest.toString('base64')}:`;
    expect(answer.headers.get('repr-digest')).toBe(isKnown ? told : null);
    return `sha256:${digest.toString('hex')}`;
  }

  /** Holds what lists say of a policy in prod against what the rule's two addresses send. */
  async compare(id: string): Promise<void> {
    const item = await this.item(id);
    const { snapshot, bodyDigest, next } = item ?? {};
    expect(bodyDigest).toBe(await this.digestOf(`GET /api/policies/${id}`));
    expect(bodyDigest).toBe(await this.digestOf(`GET /api/policies/${id}/snapshots/${snapshot}`));
    if (next !== null && next !== undefined) {
      const waits = await this.digestOf(`GET /api/policies/${id}/snapshots/${next.snapshot}`);
      expect(next.bodyDigest).toBe(waits);
    }
    const json = { query: `{policy(id:"${id}"){bodyDigest next{bodyDigest}}}` };
    expect(await this.done('reader', 'POST /api/graphql', { json })).toEqual({
      data: { policy: { bodyDigest, next: next && { bodyDigest: next.bodyDigest } } },
    });
    const stored = await this.done('reader', `GET /api/policies/${id}/snapshots`);
    const items = stored['items'] as readonly Item[];
    expect(items.find((each) => each.snapshot === snapshot)?.bodyDigest).toBe(bodyDigest);
  }
}

/** Without what YAML refuses as it is. */
const texts = fc.string({
  unit: fc
    .string({ unit: 'binary', minLength: 1, maxLength: 1 })
    .filter((character) => /\P{C}/u.test(character)),
});
const names = texts.map((each) => `x${each}`);
/** Integers that a number cannot hold to the digit are refused; with an exponent they are not. */
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((each) => Math.abs(each) < 2 ** 53 || Math.abs(each) >= 1e21),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    texts,
    number,
    fc.constantFrom(true, false, null),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(names, tie('json'), { maxKeys: 4 }),
  ),
}));

describe('the digest of a body', () => {
  it('is that of the bytes that both addresses of a rule send, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, json, { maxKeys: 5 }), async (given) => {
        const fields = Object.fromEntries(
          Object.entries(given).map(([name, inner]) => [JSON.stringify(name), inner]),
        );
        const desk = new Desk();
        await desk.publish('p', fields);
        await desk.compare('p');
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['small', 'é😀\u2028"\\'],
    ['just too large for a record', '"'.repeat(60_000)],
    ['large', 'é😀\u2028 '.repeat(12_000)],
  ])('follows the rule through every change (%s)', async (_, text) => {
    const desk = new Desk();
    const [one, two] = [
      await desk.publish('p', { text }),
      await desk.publish('p', { text, limit: 1e21 }),
    ];
    await desk.compare('p');
    const back = await desk.done('editor', 'POST /api/policies/p/rollback', {
      json: { channel: 'prod' },
    });
    expect(back['snapshot']).toBe(one);
    await desk.compare('p');
    await desk.publish('p', { text, limit: 1e21 });
    expect((await desk.item('p'))?.snapshot).toBe(two);
    await desk.compare('p');
    await desk.publish('p', { text, limit: 0.1 }, 'test');
    await desk.done('editor', 'POST /api/policies/p/promote', {
      json: { from: 'test', to: 'prod' },
    });
    await desk.compare('p');
    const waits = await desk.publish('p', { text, effective: later });
    expect((await desk.item('p'))?.next?.snapshot).toBe(waits);
    await desk.compare('p');
    desk.deps.clock.set(Date.parse(later));
    expect((await desk.item('p'))?.snapshot).toBe(waits);
    await desk.compare('p');
    await activateDue(desk.deps);
    await desk.compare('p');
  });

  it('is null while nothing is in force, and told of what waits', async () => {
    const desk = new Desk();
    const snapshot = await desk.publish('p', { effective: later });
    expect(await desk.item('p')).toMatchObject({ snapshot: null, bodyDigest: null });
    const bodyDigest = await desk.digestOf(`GET /api/policies/p/snapshots/${snapshot}`);
    expect((await desk.item('p'))?.next).toMatchObject({ snapshot, bodyDigest });
  });

  it('is null for what was stored before it was kept, until a change brings it', async () => {
    const desk = new Desk();
    const one = await desk.publish('p', {}, 'test');
    await desk.done('editor', 'POST /api/policies/p/promote', {
      json: { from: 'test', to: 'prod' },
    });
    const keys: readonly KeyOf<unknown>[] = [
      snapshotKey('demo', 'p', one),
      channelKey('demo', 'p', 'test'),
      channelKey('demo', 'p', 'prod'),
      summaryKey('demo', 'p'),
    ];
    for (const key of keys)
      await desk.put(key, withoutDigests((await desk.deps.records.get(key))?.value));
    expect(await desk.item('p')).toMatchObject({ snapshot: one, bodyDigest: null });
    const { items } = await desk.done('reader', 'GET /api/policies/p/snapshots');
    expect(items).toMatchObject([{ bodyDigest: null }]);
    const wanted = await desk.digestOf('GET /api/policies/p', false);
    expect(await desk.digestOf(`GET /api/policies/p/snapshots/${one}`)).toBe(wanted);
    await desk.publish('p', { limit: 1 });
    await desk.done('editor', 'POST /api/policies/p/promote', {
      json: { from: 'test', to: 'prod' },
    });
    expect(await desk.item('p')).toMatchObject({ snapshot: one, bodyDigest: wanted });
    await desk.publish('p', { limit: 2 });
    await desk.done('editor', 'POST /api/policies/p/rollback', { json: { snapshot: one } });
    expect(await desk.item('p')).toMatchObject({ snapshot: one, bodyDigest: wanted });
  });
});

function withoutDigests(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutDigests);
  const kept = Object.entries(value).filter(([key]) => key !== 'bodyDigest');
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutDigests(inner)]));
}
