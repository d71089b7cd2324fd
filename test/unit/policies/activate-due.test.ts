import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activateDue, keepActivating } from '../../../src/core/policies/activate-due.ts';
import { channelKey, waitingPartition } from '../../../src/core/policies/policy-keys.ts';
import { policyEventsOf } from '../../../src/core/policies/policy-events.ts';
import { readRule } from '../../../src/core/policies/read-rule.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { journal } from '../journal/notes.ts';
import { TenantCalls } from './tenant-calls.ts';

const effective = '2026-01-02T00:00:00Z';
const effectiveMs = Date.parse(effective);

describe('activateDue', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    await demo.publish('prod', { version: '1.0.0' });
    await demo.publish('prod', { version: '2.0.0', effective });
  });
  const waiting = () => deps.records.query({ partition: waitingPartition, limit: 1000 });

  it('journals once that a rule took effect, from its very millisecond on', async () => {
    deps.clock.set(effectiveMs - 1);
    expect(await activateDue(deps)).toBe(0);
    deps.clock.set(effectiveMs);
    expect(await activateDue(deps)).toBe(1);
    expect(await activateDue(deps)).toBe(0);
    const entries = await assertConsistent(deps.records, 'demo', deps);
    expect(entries).toHaveLength(3);
    expect(entries[2]).toMatchObject({
      at: '2026-01-02T00:00:00.000Z',
      actor: 'hms-svc',
      action: 'policy.activated',
      subject: 'p',
      before: { channel: 'prod', version: '1.0.0', gen: 2, effectiveAt: null },
      after: { channel: 'prod', version: '2.0.0', gen: 3, effectiveAt: null },
      reason: null,
    });
    expect(policyEventsOf('demo', entries[2]!)).toMatchObject([
      { type: 'policy.updated', data: { reason: 'effective', version: '2.0.0', gen: 3 } },
    ]);
    expect(await waiting()).toEqual([]);
  });

  it('changes nothing for readers', async () => {
    deps.clock.set(effectiveMs);
    const before = await readRule(deps, demo.lane('prod'), null);
    await activateDue(deps);
    const after = await readRule(deps, demo.lane('prod'), null);
    expect(after.next).toBeNull();
    // `effectiveAtMs` is about what waits.
    expect(before.rule).toEqual({ ...after.rule, effectiveAtMs: effectiveMs });
    expect((await demo.rollback('prod')).version).toBe('1.0.0');
  });

  it('journals once when several do it at the same time', async () => {
    deps.clock.set(effectiveMs);
    const { port: records, calls } = countingRecords(deps.records);
    const done = await Promise.all([1, 2, 3].map(() => activateDue({ ...deps, records })));
    expect(done).toEqual([1, 1, 1]);
    // They did meet.
    expect(calls.commit).toBeGreaterThan(1);
    expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(3);
  });

  it('journals nothing of a rule that was superseded, also in the last moment', async () => {
    deps.clock.set(effectiveMs - 1);
    await demo.publish('prod', { version: '3.0.0' });
    deps.clock.set(effectiveMs);
    expect(await activateDue(deps)).toBe(0);

    await demo.publish('test', { version: '3.0.0', effective: '2026-01-03T00:00:00Z' });
    deps.clock.set(Date.UTC(2026, 0, 3));
    // After it has seen what is due.
    const records = faultyRecords(deps.records, {
      query: [{ after: () => demo.publish('test', { version: '4.0.0' }) }],
    });
    await activateDue({ ...deps, records });
    const actions = (await journal(deps.records)).map(({ action }) => action);
    expect(actions).not.toContain('policy.activated');
    expect(await demo.version('test')).toBe('4.0.0');
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('leaves alone what was put off in the last moment', async () => {
    deps.clock.set(effectiveMs);
    const records = faultyRecords(deps.records, {
      query: [
        {
          after: () =>
            demo.publish('prod', { version: '3.0.0', effective: '2026-02-01T00:00:00Z' }),
        },
      ],
    });
    await activateDue({ ...deps, records });
    expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(3);
    expect(await waiting()).toHaveLength(1);
  });

  it('goes by tenant, policy and channel, the longest overdue first', async () => {
    const other = new TenantCalls(deps, 'other');
    await other.publish('dev', { version: '1.0.0', effective: '2026-01-01T12:00:00Z' });
    await demo.publish('dev', { version: '2.0.0', effective });
    deps.clock.set(effectiveMs);
    expect(await activateDue(deps)).toBe(3);
    expect(deps.log.lines).toMatchObject([
      { msg: 'rule took effect', tenant: 'other', id: 'p', channel: 'dev' },
      { tenant: 'demo', channel: 'dev' },
      { tenant: 'demo', channel: 'prod' },
    ]);
    await assertConsistent(deps.records, 'demo', deps);
    await assertConsistent(deps.records, 'other', deps);
  });

  it('does more than one batch of a hundred', async () => {
    for (let i = 0; i < 120; i++) {
      await new TenantCalls(deps, 'other', `p${i}`).publish('prod', { effective });
    }
    deps.clock.set(effectiveMs);
    expect(await activateDue(deps)).toBe(121);
    expect(await activateDue(deps)).toBe(0);
  });

  it('does the others when one fails, and then says so', async () => {
    await new TenantCalls(deps, 'another').publish('prod', { effective });
    await new TenantCalls(deps, 'other').publish('prod', { effective });
    deps.clock.set(effectiveMs);
    const failing = channelKey('demo', 'p', 'prod');
    const records = faultyRecords(deps.records, ({ method, args }) => {
      if (method !== 'getMany') return undefined;
      const keys = args[0] as readonly { partition: string }[];
      return keys[0]?.partition === failing.partition ? 'not-written' : undefined;
    });
    await expect(activateDue({ ...deps, records })).rejects.toMatchObject({ code: 'unavailable' });
    const tenants = deps.log.lines.map(({ tenant }) => tenant);
    expect(tenants).toEqual(['another', 'other']);
    expect(await activateDue(deps)).toBe(1);
  });
});

describe('keepActivating', () => {
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  afterEach(async () => {
    stop.abort();
    await running;
  });

  it('looks every second, goes on after a failure, and ends when told to', async () => {
    const deps = coreDeps({ clock: new ManualClock(effectiveMs - 1500) });
    const demo = new TenantCalls(deps);
    await demo.publish('prod', { version: '2.0.0', effective });
    const lookedAtMs: number[] = [];
    const records = faultyRecords(deps.records, ({ method, nth }) => {
      if (method !== 'query') return undefined;
      lookedAtMs.push(deps.clock.nowMs() - effectiveMs);
      return nth === 2 ? 'not-written' : undefined;
    });
    running = keepActivating({ ...deps, records }, stop.signal);
    await deps.clock.advance(3000);
    expect(lookedAtMs).toEqual([-1500, -500, 500, 1500]);
    expect(deps.log.lines).toMatchObject([
      { level: 'error', msg: 'activation failed' },
      { level: 'info', msg: 'rule took effect' },
    ]);
    expect((await journal(deps.records)).map(({ at }) => at)).toEqual([
      '2026-01-01T23:59:58.500Z',
      '2026-01-02T00:00:00.500Z',
    ]);
    stop.abort();
    await running;
    await deps.clock.advance(3000);
    expect(lookedAtMs).toHaveLength(4);
  });
});
