import { beforeEach, describe, expect, it } from 'vitest';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import type { StoredRecord } from '../../../src/ports/record-store.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { journal } from '../journal/notes.ts';
import { TenantCalls } from './tenant-calls.ts';

describe('promotePolicy', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });

  it('puts the rule of one channel in force in another', async () => {
    const old = await demo.publish('prod', { version: '1.0.0' });
    const published = await demo.publish('test', { version: '2.0.0' });
    const promoted = await demo.promote('test', 'prod', { reason: 'tested' });
    expect(promoted).toEqual({
      ...published,
      channel: 'prod',
      status: 'promoted',
      gen: 2,
      before: old.snapshot,
      index: 2,
    });
    expect(await demo.version('prod')).toBe('2.0.0');
    expect(await demo.version('test')).toBe('2.0.0');
    expect((await journal(deps.records))[2]).toMatchObject({
      action: 'policy.promoted',
      before: { channel: 'prod', snapshot: old.snapshot },
      after: { channel: 'prod', snapshot: published.snapshot, gen: 2 },
      reason: 'tested',
    });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('can be rolled back', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    await demo.publish('test', { version: '2.0.0' });
    await demo.promote('test', 'prod');
    expect((await demo.rollback('prod')).version).toBe('1.0.0');
  });

  it('of what is there already changes nothing', async () => {
    await demo.publish('test', { version: '1.0.0' });
    const first = await demo.promote('test', 'prod');
    const { port: records, calls } = countingRecords(deps.records);
    const again = await new TenantCalls({ ...deps, records }).promote('test', 'prod');
    expect(again).toEqual({ ...first, status: 'unchanged', before: first.snapshot, index: null });
    expect(calls.commit).toBe(0);
  });

  it('touches no blob, however large the rule', async () => {
    await demo.publish('test', { text: 'x'.repeat(120_000) });
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    await new TenantCalls({ ...deps, blobs }).promote('test', 'prod');
    expect(calls).toEqual({ put: 0, get: 0, head: 0 });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('says where there is nothing', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    await expect(demo.promote('test', 'prod')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('in test'),
    });
    const other = new TenantCalls(deps, 'other');
    await expect(other.promote('prod', 'test')).rejects.toMatchObject({ code: 'not_found' });
    expect(await journal(deps.records)).toHaveLength(1);
  });

  it('obeys a guard about the channel that it moves', async () => {
    const old = await demo.publish('prod', { version: '1.0.0' });
    const { snapshot } = await demo.publish('test', { version: '2.0.0' });
    const refused = demo.promote('test', 'prod', { guard: [snapshot] });
    await expect(refused).rejects.toMatchObject({ code: 'precondition_failed' });
    await expect(demo.promote('test', 'dev', { guard: 'any' })).rejects.toMatchObject({
      code: 'precondition_failed',
    });
    const passed = await demo.promote('test', 'prod', { guard: [old.snapshot] });
    expect(passed.status).toBe('promoted');
  });

  it('promotes what the source has at that moment, where many reads are no snapshot', async () => {
    await demo.publish('test', { version: '1.0.0' });
    const source = channelKey('demo', 'p', 'test');
    const old = await deps.records.get(source);
    // As DynamoDB may answer: the source as it was, and all else, with the head of the journal, as
    // it is after a publish.
    let reads = 0;
    let published: Promise<unknown> | undefined;
    const records = interceptMethods(
      deps.records,
      { get: 0, getMany: 0 },
      async (method, _, call) => {
        published ??= demo.publish('test', { version: '2.0.0' });
        await published;
        if (method === 'get') return call();
        reads += 1;
        const found = (await call()) as (StoredRecord | undefined)[];
        if (reads > 1) return found;
        return found.map((record) => (record?.key.sort === source.sort ? old : record));
      },
    );
    const promoted = await new TenantCalls({ ...deps, records }).promote('test', 'prod');
    expect(promoted.version).toBe('2.0.0');
    expect(reads).toBe(2);
    await assertConsistent(deps.records, 'demo', deps);
  });
});

describe('promotePolicy, of a rule that waits', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  const effectiveMs = Date.UTC(2026, 0, 2);
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    await demo.publish('test', { version: '1.0.0' });
    await demo.publish('prod', { version: '0.9.0' });
    await demo.publish('test', { version: '2.0.0', effective: '2026-01-02T00:00:00Z' });
  });

  it('lets it wait there, too', async () => {
    const promoted = await demo.promote('test', 'prod');
    expect(promoted).toMatchObject({
      status: 'promoted',
      version: '2.0.0',
      gen: 2,
      effectiveAt: '2026-01-02T00:00:00.000Z',
    });
    expect(await demo.version('prod')).toBe('0.9.0');
    deps.clock.set(effectiveMs - 1);
    expect(await demo.version('prod')).toBe('0.9.0');
    deps.clock.set(effectiveMs);
    expect(await demo.version('prod')).toBe('2.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('again changes nothing', async () => {
    const first = await demo.promote('test', 'prod');
    const again = await demo.promote('test', 'prod');
    expect(again).toEqual({ ...first, status: 'unchanged', index: null });
    expect(again.effectiveAt).toBe('2026-01-02T00:00:00.000Z');
  });

  it('puts it in force at once when its time has come, activated or not', async () => {
    deps.clock.set(effectiveMs);
    const promoted = await demo.promote('test', 'prod');
    expect(promoted).toMatchObject({ status: 'promoted', version: '2.0.0', effectiveAt: null });
    expect(await demo.version('prod')).toBe('2.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('replaces what waits in the target', async () => {
    await demo.publish('prod', { version: '1.5.0', effective: '2026-01-01T12:00:00Z' });
    await demo.promote('test', 'prod');
    deps.clock.set(Date.UTC(2026, 0, 1, 12));
    expect(await demo.version('prod')).toBe('0.9.0');
    deps.clock.set(effectiveMs);
    expect(await demo.version('prod')).toBe('2.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });
});
