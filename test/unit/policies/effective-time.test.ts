import { beforeEach, describe, expect, it } from 'vitest';
import { diffRules } from '../../../src/core/policies/diff-rules.ts';
import { listChannel, manifestTag } from '../../../src/core/policies/list-policies.ts';
import { channelHeadKey, waitingPartition } from '../../../src/core/policies/policy-keys.ts';
import { maxWaiting } from '../../../src/core/policies/policy-summary.ts';
import { readRule } from '../../../src/core/policies/read-rule.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { journal } from '../journal/notes.ts';
import { TenantCalls } from './tenant-calls.ts';

const effective = '2026-01-02T00:00:00Z';
const effectiveMs = Date.parse(effective);

describe('a rule with an effective time', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });
  const waiting = () => deps.records.query({ partition: waitingPartition, limit: 1000 });

  it('waits, and is in force from its very millisecond, with no one acting', async () => {
    const old = await demo.publish('prod', { version: '1.0.0' });
    const published = await demo.publish('prod', { version: '2.0.0', effective });
    expect(published).toMatchObject({
      status: 'stored',
      version: '2.0.0',
      gen: 2,
      effectiveAt: '2026-01-02T00:00:00.000Z',
      before: old.snapshot,
    });
    const { port: records, calls } = countingRecords(deps.records);
    // Each reader by its own clock.
    const readAt = (ms: number) =>
      readRule({ records, clock: new ManualClock(ms) }, demo.lane('prod'), null);
    const before = await readAt(effectiveMs - 1);
    expect(before.rule.version).toBe('1.0.0');
    expect(before.next).toMatchObject({ version: '2.0.0', effectiveAtMs: effectiveMs });
    const after = await readAt(effectiveMs);
    expect(after.rule.version).toBe('2.0.0');
    expect(after.rule.body).toEqual({ json: expect.stringContaining('"version":"2.0.0"') });
    expect(after.next).toBeNull();
    expect(calls.commit).toBe(0);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('is in force at once when its time is past, or is this millisecond', async () => {
    deps.clock.set(effectiveMs);
    const now = await demo.publish('prod', { version: '1.0.0', effective });
    expect(now.effectiveAt).toBeNull();
    expect(await demo.version('prod')).toBe('1.0.0');
    await demo.publish('prod', { version: '2.0.0', effective: '1999-01-01T00:00:00Z' });
    expect(await demo.version('prod')).toBe('2.0.0');
    expect(await waiting()).toEqual([]);
  });

  it('as the first of its channel: not_in_force until then, and the message says when', async () => {
    const { snapshot } = await demo.publish('prod', { version: '1.0.0', effective });
    await expect(readRule(deps, demo.lane('prod'), null)).rejects.toMatchObject({
      code: 'not_in_force',
      message: expect.stringMatching(`${snapshot}.*2026-01-02T00:00:00.000Z`),
    });
    expect(await demo.version('dev')).toBe('not_found');
    deps.clock.set(effectiveMs);
    expect(await demo.version('prod')).toBe('1.0.0');
  });

  it('published again while it waits is unchanged, and still says when', async () => {
    const first = await demo.publish('prod', { version: '1.0.0', effective });
    const again = await demo.publish('prod', { version: '1.0.0', effective });
    expect(again).toEqual({ ...first, status: 'unchanged', index: null });
    expect(again).toMatchObject({ effectiveAt: '2026-01-02T00:00:00.000Z', before: null });
    deps.clock.set(effectiveMs);
    const late = await demo.publish('prod', { version: '1.0.0', effective });
    expect(late).toEqual({ ...again, effectiveAt: null, before: first.snapshot });
    expect(await journal(deps.records)).toHaveLength(1);
  });

  it('gives way to the last word: a rule for now, or for another time', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    await demo.publish('prod', { version: '2.0.0', effective });
    await demo.publish('prod', { version: '3.0.0' });
    expect(await waiting()).toEqual([]);
    await demo.publish('prod', { version: '4.0.0', effective: '2026-01-04T00:00:00Z' });
    await demo.publish('prod', { version: '5.0.0', effective: '2026-01-03T00:00:00Z' });
    await demo.publish('prod', { version: '6.0.0', effective: '2026-01-03T00:00:00Z' });
    expect(await waiting()).toHaveLength(1);
    for (const [day, version] of [
      [2, '3.0.0'],
      [3, '6.0.0'],
      [4, '6.0.0'],
    ] as const) {
      deps.clock.set(Date.UTC(2026, 0, day));
      expect(await demo.version('prod'), `${day} January`).toBe(version);
    }
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('that has come counts as the one before for what follows, activated or not', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    const second = await demo.publish('prod', { version: '2.0.0', effective });
    deps.clock.set(effectiveMs);
    const third = await demo.publish('prod', { version: '3.0.0' });
    expect(third.before).toBe(second.snapshot);
    expect((await demo.rollback('prod')).version).toBe('2.0.0');
    expect((await demo.rollback('prod')).version).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('is what a guard is about from its time on', async () => {
    const first = await demo.publish('prod', { version: '1.0.0' });
    const second = await demo.publish('prod', { version: '2.0.0', effective });
    const guard = [second.snapshot];
    await expect(demo.publish('prod', { version: '3.0.0' }, { guard })).rejects.toMatchObject({
      code: 'precondition_failed',
      message: expect.stringContaining(first.snapshot),
    });
    deps.clock.set(effectiveMs);
    expect((await demo.publish('prod', { version: '3.0.0' }, { guard })).gen).toBe(3);
  });

  it('is what a comparison of the channel is about from its time on', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    await demo.publish('prod', { version: '2.0.0', effective });
    const compare = () => diffRules(deps, 'demo', 'p', '1.0.0', 'prod');
    expect((await compare()).changes).toEqual([]);
    deps.clock.set(effectiveMs);
    expect((await compare()).to.version).toBe('2.0.0');
  });
});

describe('the manifest', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  let other: TenantCalls;
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    other = new TenantCalls(deps, 'demo', 'q');
  });
  const tag = () => manifestTag(deps, 'demo', 'prod', null);
  const versions = async () => {
    const { items } = await listChannel(deps, 'demo', 'prod', null, undefined, 10);
    return Object.fromEntries(items.map(({ id, inForce }) => [id, inForce?.version ?? null]));
  };

  it('has another tag after each change of its channel, and of no other', async () => {
    const tags = [await tag()];
    const note = async (): Promise<void> => void tags.push(await tag());
    await demo.publish('prod', { version: '1.0.0' }).then(note);
    await other.publish('prod', { version: '1.0.0' }).then(note);
    await demo.publish('prod', { version: '2.0.0' }).then(note);
    await demo.rollback('prod').then(note);
    expect(new Set(tags).size).toBe(5);
    await demo.publish('test', { version: '3.0.0' });
    await demo.store({ version: '4.0.0' });
    await new TenantCalls(deps, 'other').publish('prod', {});
    await demo.publish('prod', { version: '1.0.0' });
    expect(await tag()).toBe(tags.at(-1));
    await demo.promote('test', 'prod').then(note);
    expect(new Set(tags).size).toBe(6);
  });

  it('changes at the instant when a rule takes effect, for each that does', async () => {
    await demo.publish('prod', { version: '1.0.0', effective });
    await other.publish('prod', { version: '1.0.0', effective: '2026-01-03T00:00:00Z' });
    const seen = new Map<string, unknown>();
    for (const ms of [0, effectiveMs - 1, effectiveMs, effectiveMs + 1, Date.UTC(2026, 0, 3)]) {
      deps.clock.set(Math.max(ms, deps.clock.nowMs()));
      const now = await versions();
      expect(seen.get(await tag()) ?? now).toEqual(now);
      seen.set(await tag(), now);
    }
    expect([...seen.values()]).toEqual([
      { p: null, q: null },
      { p: '1.0.0', q: null },
      { p: '1.0.0', q: '1.0.0' },
    ]);
  });

  it('says what waits, until its time', async () => {
    await demo.publish('prod', { version: '1.0.0', effective });
    const { items } = await listChannel(deps, 'demo', 'prod', null, undefined, 10);
    expect(items).toMatchObject([
      { id: 'p', gen: 1, inForce: null, next: { version: '1.0.0', effectiveAtMs: effectiveMs } },
    ]);
    deps.clock.set(effectiveMs);
    const later = await listChannel(deps, 'demo', 'prod', null, undefined, 10);
    expect(later.items).toMatchObject([{ gen: 1, inForce: { version: '1.0.0' }, next: null }]);
  });
});

describe('a channel', () => {
  it(`lets ${maxWaiting} rules wait, and no more`, async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    await demo.publish('prod', { version: '1.0.0' });
    const key = channelHeadKey('demo', 'prod');
    const ids = Array.from({ length: maxWaiting - 1 }, (_, i) => `policy-${i}`);
    const waiting = Object.fromEntries(ids.map((id) => [id, effectiveMs]));
    const value = { index: 0, waiting };
    await deps.records.commit([{ kind: 'put', key, value, expect: 1 }], 'a token');

    const next = { version: '2.0.0', effective };
    expect((await demo.publish('prod', next)).status).toBe('stored');
    const one = new TenantCalls(deps, 'demo', 'one');
    await expect(one.publish('prod', next)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('2000 rules wait'),
    });
    expect(await one.version('prod')).toBe('not_found');
    // Its own it may replace; and what need not wait is no matter.
    const other = { version: '3.0.0', effective: '2026-01-05T00:00:00Z' };
    expect((await demo.publish('prod', other)).status).toBe('stored');
    expect((await one.publish('prod', { version: '1.0.0' })).status).toBe('stored');
    expect((await one.publish('test', next)).status).toBe('stored');
    await demo.rollback('prod');
    expect((await one.publish('prod', next)).status).toBe('stored');
  });
});
