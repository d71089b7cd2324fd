import { beforeEach, describe, expect, it } from 'vitest';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { sha256Hex, textDigest } from '../../../src/core/packages/digest.ts';
import { bodyKey } from '../../../src/core/policies/policy-keys.ts';
import { readBody, readRule } from '../../../src/core/policies/read-rule.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { journal } from '../journal/notes.ts';
import { rule, TenantCalls } from './tenant-calls.ts';

describe('publishPolicy', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });

  it('puts a rule in force, and answers what it did', async () => {
    const upload = rule('p', { version: '1.0.0', limit: 25 });
    const digest = sha256Hex(packPolicy(upload.bytes));
    const snapshot = `v2026-01-01-0000-${digest.slice(0, 8)}`;
    expect(await demo.publish('prod', upload)).toEqual({
      id: 'p',
      channel: 'prod',
      snapshot,
      status: 'stored',
      version: '1.0.0',
      digest: `sha256:${digest}`,
      gen: 1,
      effectiveAt: null,
      before: null,
      index: 0,
    });
    const { rule: found, next } = await readRule(deps, demo.lane('prod'), null);
    expect(found).toEqual({
      snapshot,
      version: '1.0.0',
      digest,
      bodyDigest: textDigest('{"id":"p","version":"1.0.0","limit":25}'),
      body: { json: '{"id":"p","version":"1.0.0","limit":25}' },
    });
    expect(next).toBeNull();
    expect(await deps.blobs.get({ tenant: 'demo', digest })).toEqual(packPolicy(upload.bytes));
  });

  it('journals who, what, before and after', async () => {
    const first = await demo.publish('prod', { version: '1.0.0' });
    deps.clock.set(deps.clock.nowMs() + 60_000);
    const second = await demo.publish('prod', { version: '2.0.0' }, { reason: 'smog' });
    expect(second).toMatchObject({ gen: 2, before: first.snapshot, index: 1 });
    const [, entry] = await journal(deps.records);
    const lane = { channel: 'prod', effectiveAt: null };
    expect(entry).toEqual({
      index: 1,
      at: '2026-01-01T00:01:00.000Z',
      actor: 'ann',
      action: 'policy.published',
      subject: 'p',
      before: {
        ...lane,
        snapshot: first.snapshot,
        version: '1.0.0',
        digest: first.digest,
        gen: 1,
      },
      after: {
        ...lane,
        snapshot: second.snapshot,
        version: '2.0.0',
        digest: second.digest,
        gen: 2,
      },
      requestId: 'request-2',
      reason: 'smog',
      commitId: expect.any(String),
    });
  });

  it('takes the same bytes again for the same, packed or bare, and writes nothing', async () => {
    const upload = rule('p', { version: '1.0.0' });
    await demo.publish('prod', { version: '0.9.0' });
    const first = await demo.publish('prod', upload);
    const { port: records, calls } = countingRecords(deps.records);
    const { port: blobs, calls: blobCalls } = countingBlobs(deps.blobs);
    const again = new TenantCalls({ ...deps, records, blobs });
    for (const same of [upload, { form: 'zip', bytes: packPolicy(upload.bytes) } as const]) {
      deps.clock.set(deps.clock.nowMs() + 3_600_000);
      expect(await again.publish('prod', same)).toEqual({
        ...first,
        status: 'unchanged',
        before: first.snapshot,
        index: null,
      });
    }
    expect(calls.commit).toBe(0);
    expect(blobCalls).toEqual({ put: 0, get: 0, head: 0 });
  });

  it('moves back when an earlier package is published again, with its first name', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const b = await demo.publish('prod', { version: '2.0.0' });
    deps.clock.set(deps.clock.nowMs() + 3_600_000);
    const again = await demo.publish('prod', { version: '1.0.0' });
    expect(again).toEqual({ ...a, status: 'stored', gen: 3, before: b.snapshot, index: 2 });
    expect(await demo.version('prod')).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('takes other bytes of the same version for another package', async () => {
    const a = await demo.publish('prod', { version: '1.0.0', limit: 25 });
    const b = await demo.publish('prod', { version: '1.0.0', limit: 35 });
    expect(b).toMatchObject({ status: 'stored', version: '1.0.0', gen: 2 });
    expect(b.snapshot).not.toBe(a.snapshot);
  });

  it('knows a package by what it is, whichever channel or store call brought it first', async () => {
    const { record } = await demo.store({ version: '1.0.0' });
    deps.clock.set(deps.clock.nowMs() + 3_600_000);
    const movement = await demo.publish('dev', { version: '1.0.0' });
    expect(movement).toMatchObject({ status: 'stored', snapshot: record.snapshot, gen: 1 });
    expect((await demo.publish('prod', { version: '1.0.0' })).snapshot).toBe(record.snapshot);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('keeps policies, channels and tenants apart', async () => {
    await demo.publish('dev', { version: '1.0.0' });
    const other = new TenantCalls(deps, 'other');
    const q = new TenantCalls(deps, 'demo', 'q');
    expect(await demo.version('prod')).toBe('not_found');
    expect(await other.version('dev')).toBe('not_found');
    expect(await q.version('dev')).toBe('not_found');
    expect(await other.publish('dev', { version: '2.0.0' })).toMatchObject({ gen: 1, index: 0 });
    expect(await q.publish('dev', { version: '3.0.0' })).toMatchObject({ gen: 1, index: 1 });
    expect(await demo.version('dev')).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
    await assertConsistent(deps.records, 'other', deps);
  });

  it('refuses the rule of another policy, with nothing stored', async () => {
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    const refused = new TenantCalls({ ...deps, blobs }).publish('prod', rule('q'));
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_policy',
      details: [{ pointer: '/id', detail: expect.stringContaining('"q"') }],
    });
    expect(calls.put).toBe(0);
    expect(await journal(deps.records)).toEqual([]);
  });

  it('stores the package once, however many times the commit is tried', async () => {
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    const records = faultyRecords(deps.records, { commit: ['conflict', 'conflict', 'conflict'] });
    await new TenantCalls({ ...deps, records, blobs }).publish('prod', { version: '1.0.0' });
    expect(calls.put).toBe(1);
  });

  it('lets parallel publishers all have their say, one after the other', async () => {
    const versions = Array.from({ length: 6 }, (_, i) => `1.0.${i}`);
    const moves = await Promise.all(versions.map((version) => demo.publish('prod', { version })));
    const gens = moves.map(({ gen }) => gen).toSorted((a, b) => a - b);
    expect(gens).toEqual([1, 2, 3, 4, 5, 6]);
    const last = moves.find(({ gen }) => gen === 6);
    expect(await demo.version('prod')).toBe(last?.version);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('stores the same package once when many publish it at the same time', async () => {
    const moves = await Promise.all(
      Array.from({ length: 6 }, () => demo.publish('prod', { version: '1.0.0' })),
    );
    expect(moves.filter(({ status }) => status === 'stored')).toHaveLength(1);
    expect(moves.filter(({ status }) => status === 'unchanged')).toHaveLength(5);
    expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(1);
  });
});

describe('publishPolicy, guarded by the snapshot in force', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });

  it('passes when it is one of those named, or any for *', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const b = await demo.publish('prod', { version: '2.0.0' }, { guard: ['x', a.snapshot] });
    expect(b.status).toBe('stored');
    expect((await demo.publish('prod', { version: '3.0.0' }, { guard: 'any' })).gen).toBe(3);
  });

  it('is refused when it is another, with nothing written and nothing stored', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const b = await demo.publish('prod', { version: '2.0.0' });
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    const late = new TenantCalls({ ...deps, blobs });
    for (const guard of [[a.snapshot], [], ['*']]) {
      await expect(late.publish('prod', { version: '3.0.0' }, { guard })).rejects.toMatchObject({
        code: 'precondition_failed',
        message: expect.stringContaining(b.snapshot),
      });
    }
    expect(calls.put).toBe(0);
    expect(await journal(deps.records)).toHaveLength(2);
  });

  it('is refused where nothing is in force, also for *', async () => {
    await demo.publish('dev', { version: '1.0.0' });
    await demo.publish('test', { version: '1.0.0', effective: '2030-01-01T00:00:00Z' });
    for (const channel of ['test', 'prod'] as const) {
      const refused = demo.publish(channel, { version: '2.0.0' }, { guard: 'any' });
      await expect(refused).rejects.toMatchObject({
        code: 'precondition_failed',
        message: expect.stringContaining('No rule is in force'),
      });
    }
  });

  it('answers `unchanged` to who repeats a call whose answer was lost', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const guard = [a.snapshot];
    const done = await demo.publish('prod', { version: '2.0.0' }, { guard });
    const again = await demo.publish('prod', { version: '2.0.0' }, { guard });
    expect(again).toMatchObject({ status: 'unchanged', snapshot: done.snapshot, gen: 2 });
  });

  it('lets one of two through who saw the same', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const guard = [a.snapshot];
    const both = await Promise.allSettled([
      demo.publish('prod', { version: '2.0.0' }, { guard }),
      demo.publish('prod', { version: '3.0.0' }, { guard }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'precondition_failed' },
    });
    expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(2);
  });
});

describe('publishPolicy, of a large rule', () => {
  /** The JSON of the rule takes so many bytes in a record; fewer outside, and fewer characters. */
  function ruleOf(bytes: number, letter: string) {
    const body = (text: string): string => JSON.stringify({ id: 'p', version: '1.0.0', text });
    const inRecord = (text: string): number => Buffer.byteLength(JSON.stringify(body(text)));
    const count = Math.floor((bytes - inRecord('')) / (inRecord(letter) - inRecord('')));
    const letters = letter.repeat(count);
    const text = letters + 'x'.repeat(bytes - inRecord(letters));
    return { upload: rule('p', { text }), body: body(text) };
  }

  it.each([
    [99_999, 'x', 'inline'],
    [100_000, 'é', 'inline'],
    [100_000, '"', 'inline'],
    [100_001, 'x', 'blob'],
    [100_001, 'é', 'blob'],
    [100_001, '"', 'blob'],
    [250_000, 'x', 'blob'],
  ])('gives back %i bytes exactly (%s): %s', async (bytes, letter, place) => {
    const { port: blobs, calls } = countingBlobs(coreDeps().blobs);
    const deps = coreDeps({ blobs });
    const demo = new TenantCalls(deps);
    const { upload, body } = ruleOf(bytes, letter);
    await demo.publish('prod', upload);
    expect(calls.put).toBe(place === 'inline' ? 1 : 2);

    const { rule: found } = await readRule(deps, demo.lane('prod'), null);
    expect('json' in found.body ? 'inline' : 'blob').toBe(place);
    if ('sizeBytes' in found.body) expect(found.body.sizeBytes).toBe(Buffer.byteLength(body));
    expect(calls.get).toBe(0);
    expect(await readBody(deps, 'demo', found.body)).toBe(body);
    expect(calls.get).toBe(place === 'inline' ? 0 : 1);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('fits in a record beside another that waits, however many quotes are in them', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    for (const letter of ['"', '\\', '\u0001', 'é', '😀', 'x']) {
      const bytes = Buffer.byteLength(JSON.stringify(letter)) - 2;
      const text = letter.repeat(Math.floor(99_900 / bytes));
      const now = await demo.publish('prod', { text });
      const next = await demo.publish('prod', { text, effective: '2030-01-01T00:00:00Z' });
      expect([now.status, next.status], letter).toEqual(['stored', 'stored']);
    }
    await assertConsistent(deps.records, 'demo', deps);
  });
});

describe('publishPolicy, of a package that is known', () => {
  it('keeps the body it was stored with, and stores nothing again', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    const a = await demo.publish('dev', { version: '1.0.0' });
    await demo.publish('prod', { version: '2.0.0' });
    const key = bodyKey('demo', 'p', a.snapshot);
    const kept = { json: '{"as":"parsed then"}' };
    await deps.records.commit(
      [{ kind: 'put', key, value: kept, expect: 1 }],
      'a-token-of-20-chars-',
    );
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    await new TenantCalls({ ...deps, blobs }).publish('prod', { version: '1.0.0' });
    expect((await readRule(deps, demo.lane('prod'), null)).rule.body).toEqual(kept);
    expect(calls.put).toBe(0);
  });
});
