import { beforeEach, describe, expect, it } from 'vitest';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import { getRecord } from '../../../src/core/records.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { journal } from '../journal/notes.ts';
import { TenantCalls } from './tenant-calls.ts';

describe('rollbackPolicy', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });

  const publishAll = async (...versions: string[]): Promise<void> => {
    for (const version of versions) await demo.publish('prod', { version });
  };
  /** Where rollbacks without a name lead, until there is nowhere to go. */
  const stepsBack = async (): Promise<string[]> => {
    const steps: string[] = [];
    for (;;) {
      const step = await demo.rollback('prod').catch((error: unknown) => error);
      if (step instanceof Error) {
        expect(step).toMatchObject({ code: 'nothing_to_roll_back_to', retryable: false });
        return steps;
      }
      steps.push((step as { version: string }).version);
      expect(await demo.version('prod')).toBe(steps.at(-1));
      expect(steps.length).toBeLessThan(50);
    }
  };

  it('is a new state with the old digest', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const b = await demo.publish('prod', { version: '2.0.0' });
    deps.clock.set(deps.clock.nowMs() + 1000);
    const back = await demo.rollback('prod', a.snapshot, { reason: 'smoke' });
    expect(back).toEqual({ ...a, status: 'rolledback', gen: 3, before: b.snapshot, index: 2 });
    const entry = (await journal(deps.records))[2];
    expect(entry).toMatchObject({
      action: 'policy.rolledback',
      subject: 'p',
      before: { snapshot: b.snapshot, gen: 2 },
      after: { snapshot: a.snapshot, gen: 3, effectiveAt: null },
      reason: 'smoke',
    });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('without a name goes back step by step, and never forth', async () => {
    await publishAll('1.0.0', '2.0.0', '3.0.0', '4.0.0');
    expect(await stepsBack()).toEqual(['3.0.0', '2.0.0', '1.0.0']);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('forgets what it went back from', async () => {
    await publishAll('1.0.0', '2.0.0', '3.0.0');
    await demo.rollback('prod');
    await publishAll('4.0.0');
    expect(await stepsBack()).toEqual(['2.0.0', '1.0.0']);
  });

  it('goes back over a rule that was in force twice', async () => {
    await publishAll('1.0.0', '2.0.0', '1.0.0', '3.0.0');
    expect(await stepsBack()).toEqual(['1.0.0', '2.0.0', '1.0.0']);
  });

  it('after one by name goes on from there', async () => {
    await publishAll('1.0.0', '2.0.0', '3.0.0', '4.0.0');
    await demo.rollback('prod', '2.0.0');
    expect(await stepsBack()).toEqual(['1.0.0']);
  });

  it('to a rule that was never in force leaves the way back as it was', async () => {
    await publishAll('1.0.0', '2.0.0');
    await demo.store({ version: '0.5.0' });
    expect(await demo.rollback('prod', '0.5.0')).toMatchObject({ status: 'rolledback', gen: 3 });
    expect(await stepsBack()).toEqual(['1.0.0']);
  });

  it('remembers ten steps; by name any age will do', async () => {
    const versions = Array.from({ length: 15 }, (_, i) => `${i + 1}.0.0`);
    await publishAll(...versions);
    const record = await getRecord(deps, channelKey('demo', 'p', 'prod'));
    expect(record?.value.earlier.map(({ version }) => version)).toEqual(
      versions.slice(4, 14).toReversed(),
    );
    expect(await stepsBack()).toEqual(versions.slice(4, 14).toReversed());
    expect((await demo.rollback('prod', '1.0.0')).status).toBe('rolledback');
    expect(await demo.version('prod')).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('keeps no body of the rules before in the record that every reader reads', async () => {
    await publishAll('1.0.0', '2.0.0');
    const record = await getRecord(deps, channelKey('demo', 'p', 'prod'));
    expect(record?.value.earlier.map((ref) => Object.keys(ref))).toEqual([
      ['snapshot', 'version', 'digest'],
    ]);
  });

  it('to the rule in force changes nothing', async () => {
    await publishAll('1.0.0', '2.0.0');
    const { port: records, calls } = countingRecords(deps.records);
    const same = await new TenantCalls({ ...deps, records }).rollback('prod', '2.0.0');
    expect(same).toMatchObject({ status: 'unchanged', version: '2.0.0', gen: 2, index: null });
    expect(same.before).toBe(same.snapshot);
    expect(calls.commit).toBe(0);
    expect(await stepsBack()).toEqual(['1.0.0']);
  });

  it('keeps to its channel', async () => {
    await publishAll('1.0.0', '2.0.0');
    await demo.promote('prod', 'test');
    await demo.rollback('prod');
    expect(await demo.version('test')).toBe('2.0.0');
    await expect(demo.rollback('test')).rejects.toMatchObject({ code: 'nothing_to_roll_back_to' });
  });

  it('says what is not there', async () => {
    await expect(demo.rollback('prod')).rejects.toMatchObject({ code: 'not_found' });
    await publishAll('1.0.0');
    await expect(demo.rollback('dev', '1.0.0')).rejects.toMatchObject({ code: 'not_found' });
    await expect(demo.rollback('prod', '7.0.0')).rejects.toMatchObject({ code: 'not_found' });
    await expect(demo.rollback('prod')).rejects.toMatchObject({ code: 'nothing_to_roll_back_to' });
    expect(await journal(deps.records)).toHaveLength(1);
  });

  it('never goes to a rule of another policy or tenant', async () => {
    await publishAll('1.0.0');
    const q = await new TenantCalls(deps, 'demo', 'q').publish('prod', { version: '2.0.0' });
    const other = await new TenantCalls(deps, 'other').publish('prod', { version: '3.0.0' });
    for (const { snapshot, digest, version } of [q, other]) {
      for (const name of [snapshot, digest, version]) {
        await expect(demo.rollback('prod', name)).rejects.toMatchObject({ code: 'not_found' });
      }
    }
    expect(await demo.version('prod')).toBe('1.0.0');
  });

  it('obeys a guard', async () => {
    const a = await demo.publish('prod', { version: '1.0.0' });
    const b = await demo.publish('prod', { version: '2.0.0' });
    const refused = demo.rollback('prod', null, { guard: [a.snapshot] });
    await expect(refused).rejects.toMatchObject({ code: 'precondition_failed' });
    expect(await demo.version('prod')).toBe('2.0.0');
    const passed = await demo.rollback('prod', null, { guard: [b.snapshot] });
    expect(passed.version).toBe('1.0.0');
  });

  it('by two at the same time goes back two steps, or one when they name it', async () => {
    await publishAll('1.0.0', '2.0.0', '3.0.0', '4.0.0');
    await Promise.all([demo.rollback('prod'), demo.rollback('prod')]);
    expect(await demo.version('prod')).toBe('2.0.0');
    const both = await Promise.all([
      demo.rollback('prod', '1.0.0'),
      demo.rollback('prod', '1.0.0'),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['rolledback', 'unchanged']);
    await assertConsistent(deps.records, 'demo', deps);
  });
});

describe('rollbackPolicy, while a rule waits for its time', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    await demo.publish('prod', { version: '1.0.0' });
    await demo.publish('prod', { version: '2.0.0' });
    await demo.publish('prod', { version: '3.0.0', effective: '2026-01-02T00:00:00Z' });
  });
  const tomorrow = () => deps.clock.set(Date.UTC(2026, 0, 2));

  it.each([null, '2.0.0'])('drops it, and keeps the one in force (named: %s)', async (name) => {
    const back = await demo.rollback('prod', name);
    expect(back).toMatchObject({
      status: 'rolledback',
      version: '2.0.0',
      gen: 4,
      effectiveAt: null,
    });
    expect(back.before).toBe(back.snapshot);
    tomorrow();
    expect(await demo.version('prod')).toBe('2.0.0');
    expect((await demo.rollback('prod')).version).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('to an earlier one drops it, too', async () => {
    expect(await demo.rollback('prod', '1.0.0')).toMatchObject({ status: 'rolledback', gen: 4 });
    tomorrow();
    expect(await demo.version('prod')).toBe('1.0.0');
    await expect(demo.rollback('prod')).rejects.toMatchObject({ code: 'nothing_to_roll_back_to' });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('goes back from it once its time has come, activated or not', async () => {
    tomorrow();
    const back = await demo.rollback('prod');
    expect(back).toMatchObject({ version: '2.0.0', gen: 4 });
    const entry = (await journal(deps.records)).at(-1);
    expect(entry).toMatchObject({ before: { version: '3.0.0', gen: 3, effectiveAt: null } });
    expect((await demo.rollback('prod')).version).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('refuses one that is not yet effective, and says from when', async () => {
    for (const channel of ['prod', 'dev'] as const) {
      if (channel === 'dev') await demo.publish('dev', { version: '1.0.0' });
      await expect(demo.rollback(channel, '3.0.0')).rejects.toMatchObject({
        code: 'not_yet_effective',
        message: expect.stringContaining('2026-01-02T00:00:00.000Z'),
      });
    }
    deps.clock.set(Date.UTC(2026, 0, 2) - 1);
    await expect(demo.rollback('prod', '3.0.0')).rejects.toMatchObject({
      code: 'not_yet_effective',
    });
    tomorrow();
    expect((await demo.rollback('prod', '3.0.0')).status).toBe('unchanged');
    expect((await demo.rollback('dev', '3.0.0')).status).toBe('rolledback');
  });

  it('has nowhere to go while the first rule waits', async () => {
    await demo.publish('test', { version: '3.0.0', effective: '2026-01-02T00:00:00Z' });
    await expect(demo.rollback('test')).rejects.toMatchObject({ code: 'nothing_to_roll_back_to' });
    expect((await demo.rollback('test', '1.0.0')).version).toBe('1.0.0');
    tomorrow();
    expect(await demo.version('test')).toBe('1.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('goes on after the rule in force came again in place of the one that waited', async () => {
    await demo.publish('prod', { version: '2.0.0' });
    expect(await demo.version('prod')).toBe('2.0.0');
    expect(await demo.rollback('prod')).toMatchObject({ status: 'rolledback', version: '1.0.0' });
    await assertConsistent(deps.records, 'demo', deps);
  });
});
