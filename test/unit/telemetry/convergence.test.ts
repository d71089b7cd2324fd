import { beforeEach, describe, expect, it } from 'vitest';
import { readConvergence } from '../../../src/core/telemetry/convergence.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';
import { CanaryLane } from './canary-lane.ts';

const dayMs = 24 * 3_600_000;

describe('readConvergence', () => {
  let deps: CoreDeps;
  let lane: CanaryLane;
  beforeEach(async () => {
    deps = coreDeps();
    lane = await CanaryLane.make(deps);
  });
  const later = (ms: number) => deps.clock.set(deps.clock.nowMs() + ms);
  const read = (tenant = 'demo', id = 'p') => readConvergence(deps, tenant, id, 'prod');
  const now = () => new Date(deps.clock.nowMs()).toISOString();

  it('says how many run the rule, how soon, and who does not', async () => {
    await lane.tell('svc-1', lane.stable);
    await lane.tell('svc-4', lane.stable);
    later(60_000);
    const { snapshot } = await lane.calls.publish('prod', { version: '3.0.0' });
    const since = now();
    later(700);
    await lane.tell('svc-1', snapshot);
    later(1100);
    await lane.tell('svc-2', snapshot);
    await lane.tell('svc-3', snapshot, undefined, { status: 'refused', reason: 'no field `max`' });
    later(500);
    // A word again is not a second coming.
    await lane.tell('svc-1', snapshot, 10);
    expect(await read()).toEqual({
      snapshot,
      version: '3.0.0',
      since,
      services: 4,
      applied: 2,
      refused: 1,
      share: 0.5,
      convergedAfterMs: 1800,
      laggards: [
        {
          service: 'svc-3',
          snapshot,
          status: 'refused',
          reason: 'no field `max`',
          at: '2026-01-01T00:01:01.800Z',
        },
        {
          service: 'svc-4',
          snapshot: lane.stable,
          status: 'applied',
          reason: null,
          at: '2026-01-01T00:00:00.000Z',
        },
      ],
      activeWithinMs: dayMs,
      canary: null,
    });
  });

  it('knows nothing when nobody told anything', async () => {
    expect(await read()).toMatchObject({
      services: 0,
      applied: 0,
      share: null,
      convergedAfterMs: null,
      laggards: [],
    });
    // An alert is no word of what a service runs.
    await lane.start(7);
    await lane.alert();
    expect(await read()).toMatchObject({ services: 0 });
  });

  it('forgets services not heard of for 24 h', async () => {
    await lane.tell('svc-1', lane.stable);
    later(1);
    await lane.tell('svc-2', lane.stable);
    later(dayMs - 1);
    expect(await read()).toMatchObject({ services: 1, applied: 1 });
    later(1);
    expect(await read()).toMatchObject({ services: 0, share: null });
  });

  it('counts those on the candidate of a canary apart', async () => {
    await lane.start(7);
    await lane.tell('svc-1', lane.candidate);
    await lane.tell('svc-2', lane.stable);
    await lane.tell('svc-3', lane.candidate, undefined, { status: 'refused' });
    const canary = { run: 7, snapshot: lane.candidate, applied: 1, refused: 1 };
    const apart = { services: 1, applied: 1, refused: 0, share: 1, laggards: [] };
    expect(await read()).toMatchObject({ snapshot: lane.stable, ...apart, canary });
    await lane.leaseUntil(deps.clock.nowMs());
    const behind = { services: 3, applied: 1, share: 1 / 3, canary: null };
    expect(await read()).toMatchObject(behind);
    expect((await read()).laggards).toHaveLength(2);
  });

  it('names at most 100 laggards', async () => {
    for (let n = 0; n < 105; n++) await lane.tell(`svc-${n}`, lane.candidate);
    const { laggards, services } = await read();
    expect(services).toBe(105);
    expect(laggards).toHaveLength(100);
  });

  it('counts from the effective time of a rule that waited, activated or not', async () => {
    const effective = '2026-01-01T01:00:00.000Z';
    const { snapshot } = await lane.calls.publish('prod', { version: '3.0.0', effective });
    await lane.tell('early', snapshot);
    expect(await read()).toMatchObject({
      snapshot: lane.stable,
      since: '2026-01-01T00:00:00.000Z',
    });
    deps.clock.set(Date.parse(effective));
    expect(await read()).toMatchObject({ snapshot, since: effective, convergedAfterMs: 0 });
    later(250);
    await lane.tell('late', snapshot);
    expect(await read()).toMatchObject({ applied: 2, convergedAfterMs: 250 });
  });

  it('counts from the last time that the rule came into force', async () => {
    later(1000);
    await lane.calls.publish('prod', { version: '3.0.0' });
    later(1000);
    await lane.calls.rollback('prod');
    expect(await read()).toMatchObject({ snapshot: lane.stable, since: now() });
  });

  it('does not count changes that left it in force', async () => {
    const since = now();
    later(1000);
    const effective = '2026-01-01T00:00:05.000Z';
    await lane.calls.publish('prod', { version: '3.0.0', effective });
    later(1000);
    // It never took effect.
    await lane.calls.rollback('prod');
    later(10_000);
    await lane.calls.publish('prod', { version: '4.0.0', effective: '2027-01-01T00:00:00Z' });
    expect(await read()).toMatchObject({ snapshot: lane.stable, since });
  });

  it('goes back over a long time of such changes, and not without end', async () => {
    const since = now();
    for (let n = 0; n < 60; n++) {
      later(1000);
      const effective = '2027-01-01T00:00:00Z';
      await lane.calls.publish('prod', { version: '3.0.0', effective });
      later(1000);
      await lane.calls.rollback('prod');
    }
    const { port: records, calls } = countingRecords(deps.records);
    const found = await readConvergence({ ...deps, records }, 'demo', 'p', 'prod');
    expect(found.since).toBe(since);
    expect(calls.query).toBe(3);
  });

  it('says what is not there', async () => {
    await expect(read('demo', 'q')).rejects.toMatchObject({ code: 'not_found' });
    await expect(read('other')).rejects.toMatchObject({ code: 'not_found' });
    const third = new TenantCalls(deps, 'third');
    await third.publish('prod', { version: '1.0.0', effective: '2027-01-01T00:00:00Z' });
    await expect(read('third')).rejects.toMatchObject({ code: 'not_in_force' });
  });

  it('keeps tenants apart', async () => {
    const other = await CanaryLane.make(deps, 'other');
    await other.tell('svc-1', other.stable);
    expect(await read()).toMatchObject({ services: 0 });
    expect(await read('other')).toMatchObject({ services: 1 });
  });
});
