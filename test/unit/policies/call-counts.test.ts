import { beforeEach, describe, expect, it } from 'vitest';
import { listChannel, manifestTag } from '../../../src/core/policies/list-policies.ts';
import { readRule, readRuleAt } from '../../../src/core/policies/read-rule.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { TenantCalls } from './tenant-calls.ts';

const large = { text: 'x'.repeat(120_000) };
const noRecords = { get: 0, getMany: 0, query: 0, commit: 0 };
const noBlobs = { put: 0, get: 0, head: 0 };

function counted() {
  const plain = coreDeps();
  const records = countingRecords(plain.records);
  const blobs = countingBlobs(plain.blobs);
  const deps = { ...plain, records: records.port, blobs: blobs.port };
  return {
    deps,
    demo: new TenantCalls(deps),
    /** The calls that one call makes. */
    callsOf: async (call: () => Promise<unknown>) => {
      records.reset();
      blobs.reset();
      await call();
      return { records: { ...records.calls }, blobs: { ...blobs.calls } };
    },
  };
}

describe('what a call costs', () => {
  let deps: ReturnType<typeof counted>['deps'];
  let demo: TenantCalls;
  let callsOf: ReturnType<typeof counted>['callsOf'];
  beforeEach(() => {
    ({ deps, demo, callsOf } = counted());
  });

  it.each([
    ['small', { version: '2.0.0' }],
    ['large', large],
    ['one that waits', { effective: '2030-01-01T00:00:00Z' }],
  ])('reading the rule in force: one get (%s)', async (_, fields) => {
    await demo.publish('prod', { version: '1.0.0' });
    await demo.publish('prod', fields);
    const calls = await callsOf(() => readRule(deps, demo.lane('prod'), null));
    expect(calls).toEqual({ records: { ...noRecords, get: 1 }, blobs: noBlobs });
  });

  it('reading a rule that is not there: one get', async () => {
    const calls = await callsOf(() => demo.version('prod'));
    expect(calls).toEqual({ records: { ...noRecords, get: 1 }, blobs: noBlobs });
  });

  it('publishing a new package: one put and one commit, and one more put for a large body', async () => {
    const first = await callsOf(() => demo.publish('prod', { version: '1.0.0' }));
    expect(first).toEqual({
      records: { ...noRecords, get: 1, getMany: 1, commit: 1 },
      blobs: { ...noBlobs, put: 1 },
    });
    const second = await callsOf(() => demo.publish('prod', large));
    expect(second).toEqual({ ...first, blobs: { ...noBlobs, put: 2 } });
  });

  it('publishing what is there: no put and no commit', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    const calls = await callsOf(() => demo.publish('prod', { version: '1.0.0' }));
    expect(calls).toEqual({ records: { ...noRecords, get: 1, getMany: 1 }, blobs: noBlobs });
  });

  it('rolling back: one commit and no blob; a version is looked up', async () => {
    for (const version of ['1.0.0', '2.0.0', '3.0.0', '4.0.0']) {
      await demo.publish('prod', { ...large, version });
    }
    const { snapshot } = (await readRule(deps, demo.lane('prod'), null)).rule;
    const cost = { ...noRecords, get: 3, getMany: 1, commit: 1 };
    expect(await callsOf(() => demo.rollback('prod'))).toEqual({ records: cost, blobs: noBlobs });
    const named = await callsOf(() => demo.rollback('prod', snapshot));
    expect(named).toEqual({ records: cost, blobs: noBlobs });
    const looked = await callsOf(() => demo.rollback('prod', '1.0.0'));
    expect(looked).toEqual({ records: { ...cost, get: 4, query: 1 }, blobs: noBlobs });
  });

  it('promoting: one commit and no blob', async () => {
    await demo.publish('test', large);
    const calls = await callsOf(() => demo.promote('test', 'prod'));
    expect(calls).toEqual({
      records: { ...noRecords, get: 1, getMany: 1, commit: 1 },
      blobs: noBlobs,
    });
  });

  it('the tag of a manifest: one get, however many policies', async () => {
    for (let i = 0; i < 5; i++) await new TenantCalls(deps, 'demo', `p${i}`).publish('prod', {});
    const calls = await callsOf(() => manifestTag(deps, 'demo', 'prod', null));
    expect(calls).toEqual({ records: { ...noRecords, get: 1 }, blobs: noBlobs });
  });

  it('a manifest: one query, however many policies', async () => {
    for (let i = 0; i < 5; i++) await new TenantCalls(deps, 'demo', `p${i}`).publish('prod', {});
    const calls = await callsOf(() => listChannel(deps, 'demo', 'prod', null, undefined, 100));
    expect(calls).toEqual({ records: { ...noRecords, query: 1, get: 2 }, blobs: noBlobs });
  });

  it('the rule at a time: two reads, however long the history', async () => {
    const startMs = deps.clock.nowMs();
    for (let i = 1; i <= 30; i++) {
      deps.clock.set(startMs + i * 1000);
      await demo.publish('prod', { version: `${i}.0.0` });
      const atMs = startMs + Math.ceil(i / 2) * 1000;
      const calls = await callsOf(() => readRuleAt(deps, demo.lane('prod'), atMs, atMs));
      expect(calls).toEqual({ records: { ...noRecords, get: 1, query: 1 }, blobs: noBlobs });
      expect(await demo.versionAt('prod', atMs, atMs)).toBe(`${Math.ceil(i / 2)}.0.0`);
    }
  });
});
