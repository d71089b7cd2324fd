import { beforeEach, describe, expect, it } from 'vitest';
import { readBody, readRule, readRuleAt } from '../../../src/core/policies/read-rule.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { TenantCalls } from './tenant-calls.ts';

const startMs = Date.UTC(2026, 0, 1);

describe('readRuleAt', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    await demo.publish('prod', { version: '1.0.0' });
    deps.clock.set(startMs + 1000);
    await demo.publish('prod', { version: '2.0.0' });
    await demo.publish('prod', { version: '2.1.0' });
    deps.clock.set(startMs + 2000);
    await demo.publish('prod', { version: '3.0.0', effective: '2026-01-01T00:01:00Z' });
    deps.clock.set(startMs + 3000);
    await demo.publish('prod', { version: '4.0.0' });
  });

  it.each([
    // At, as known at, in ms from the first publish.
    [-1, 10_000, 'not_in_force'],
    [0, 10_000, '1.0.0'],
    [999, 10_000, '1.0.0'],
    // The last of one millisecond counts.
    [1000, 10_000, '2.1.0'],
    [2000, 2000, '2.1.0'],
    [3000, 10_000, '4.0.0'],
    [60_000, 10_000, '4.0.0'],
    // What was decided later does not count: then it was to be 3.0.0.
    [60_000, 2999, '3.0.0'],
    [59_999, 2000, '2.1.0'],
    [60_000, 1999, '2.1.0'],
    [60_000, 999, '1.0.0'],
    [60_000, -1, 'not_in_force'],
    [500, 60_000, '1.0.0'],
  ])('at %i, as known at %i: %s', async (at, known, version) => {
    expect(await demo.versionAt('prod', startMs + at, startMs + known)).toBe(version);
  });

  it('answers with the body, also of a large rule, and with nothing that is to come', async () => {
    const text = 'x'.repeat(120_000);
    await demo.publish('dev', { version: '1.0.0', text });
    await demo.publish('dev', { version: '2.0.0', effective: '2026-02-01T00:00:00Z' });
    const atMs = deps.clock.nowMs();
    const { rule, next } = await readRuleAt(deps, demo.lane('dev'), atMs, atMs);
    expect(next).toBeNull();
    expect(await readBody(deps, 'demo', rule.body)).toBe(
      JSON.stringify({ id: 'p', version: '1.0.0', text }),
    );
    expect(Object.keys(rule)).toEqual(['snapshot', 'version', 'digest', 'bodyDigest', 'body']);
  });

  it('says from when on a first rule is in force', async () => {
    await demo.publish('dev', { version: '1.0.0', effective: '2026-02-01T00:00:00Z' });
    const atMs = deps.clock.nowMs();
    await expect(readRuleAt(deps, demo.lane('dev'), atMs, atMs)).rejects.toMatchObject({
      code: 'not_in_force',
      message: expect.stringContaining('2026-02-01T00:00:00.000Z'),
    });
    expect(await demo.versionAt('dev', Date.UTC(2026, 1, 1), atMs)).toBe('1.0.0');
  });

  it('knows of no other policy, channel or tenant', async () => {
    const [at, known] = [startMs + 3000, startMs + 3000];
    expect(await demo.versionAt('test', at, known)).toBe('not_in_force');
    expect(await new TenantCalls(deps, 'other').versionAt('prod', at, known)).toBe('not_in_force');
    const q = new TenantCalls(deps, 'demo', 'q');
    expect(await q.versionAt('prod', at, known)).toBe('not_in_force');
  });

  it('agrees with what readers see, while the clock runs forward', async () => {
    const nowMs = deps.clock.nowMs();
    expect(await demo.versionAt('prod', nowMs, nowMs)).toBe(await demo.version('prod'));
  });
});

describe('readRule', () => {
  it('asks for what may be a moment old', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    await demo.publish('prod', {});
    const asked: unknown[] = [];
    const records = faultyRecords(deps.records, ({ args }) => {
      asked.push(args[1]);
      return undefined;
    });
    await readRule({ ...deps, records }, demo.lane('prod'), null);
    expect(asked).toEqual([{ consistency: 'eventual' }]);
  });

  it('does not pretend when a body is gone', async () => {
    const deps = coreDeps();
    const body = { digest: '0'.repeat(64), sizeBytes: 200_000 };
    await expect(readBody(deps, 'demo', body)).rejects.toThrow('missing from the blob store');
  });
});
