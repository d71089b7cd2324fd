import { beforeEach, describe, expect, it } from 'vitest';
import { getRecord, queryRecords } from '../../../src/core/records.ts';
import type { AlertRecord } from '../../../src/core/telemetry/alert-record.ts';
import { canaryCounts } from '../../../src/core/telemetry/canary-counts.ts';
import {
  alertKey,
  alertsPartition,
  alertTallyKey,
  serviceKey,
} from '../../../src/core/telemetry/telemetry-keys.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { journal } from '../journal/notes.ts';
import { CanaryLane } from './canary-lane.ts';

const hourMs = 3_600_000;

describe('reportAlert', () => {
  let deps: CoreDeps;
  let lane: CanaryLane;
  beforeEach(async () => {
    deps = coreDeps();
    lane = await CanaryLane.make(deps);
  });
  const kept = async (fingerprint = 'db-timeout') =>
    (await getRecord(deps, alertKey(lane.calls.lane('prod'), fingerprint)))?.value;
  const later = (ms: number) => deps.clock.set(deps.clock.nowMs() + ms);

  it('counts for the arm whose rule raised it', async () => {
    await lane.start(7);
    expect(await lane.alert()).toEqual({ arm: 'canary', run: 7, new: true });
    expect(await lane.alert({ snapshot: lane.stable, fingerprint: 'other' })).toEqual({
      arm: 'stable',
      run: 7,
      new: false,
    });
    expect(await kept()).toMatchObject({
      fingerprint: 'db-timeout',
      severity: 'warning',
      message: 'The database did not answer.',
      counts: { run: 7, canary: 1, stable: 0 },
      stableLastAtMs: null,
    });
    expect(await kept('other')).toMatchObject({
      counts: { run: 7, canary: 0, stable: 1 },
      stableLastAtMs: deps.clock.nowMs(),
    });
  });

  it('counts for no run while no canary is on', async () => {
    expect(await lane.alert({ snapshot: lane.stable })).toEqual({
      arm: 'stable',
      run: null,
      new: false,
    });
    expect(await kept()).toMatchObject({ counts: null, stableLastAtMs: deps.clock.nowMs() });
    await lane.start(7);
    await lane.leaseUntil(deps.clock.nowMs());
    expect(await lane.alert()).toEqual({ arm: 'stable', run: null, new: false });
  });

  it('begins at zero with each run', async () => {
    await lane.start(7);
    await lane.alert();
    await lane.alert();
    await lane.end();
    await lane.start(8);
    await lane.alert();
    expect((await kept())?.counts).toEqual({ run: 8, canary: 1, stable: 0 });
  });

  it('is new unless the stable arm showed it in the last 24 h', async () => {
    await lane.alert({ snapshot: lane.stable });
    later(24 * hourMs - 1);
    await lane.start(7);
    expect((await lane.alert()).new).toBe(false);
    later(1);
    expect((await lane.alert()).new).toBe(true);
  });

  it('does not take a candidate that failed for the stable arm', async () => {
    await lane.start(7);
    await lane.end();
    // Somebody is late to leave it.
    expect(await lane.alert()).toEqual({ arm: 'stable', run: null, new: false });
    await lane.start(8);
    expect(await lane.alert()).toEqual({ arm: 'canary', run: 8, new: true });
  });

  it('takes a rule of before for the stable arm: somebody is late to leave it', async () => {
    await lane.calls.publish('prod', { version: '3.0.0' });
    await lane.start(7);
    expect(await lane.alert({ snapshot: lane.stable })).toMatchObject({ arm: 'stable', run: 7 });
  });

  it('is forgotten 48 h after the last one', async () => {
    await lane.alert({ snapshot: lane.stable });
    later(47 * hourMs);
    await lane.alert({ snapshot: lane.stable });
    later(48 * hourMs - 1);
    expect(await kept()).toBeDefined();
    later(1);
    expect(await kept()).toBeUndefined();
  });

  it('keeps any text, and bounds it', async () => {
    const fingerprint = `\u0000\ud800 #~/${'x'.repeat(5000)}`;
    await lane.alert({ snapshot: lane.stable, fingerprint, message: 'y'.repeat(5000) });
    const record = await kept(fingerprint);
    expect(record?.fingerprint).toHaveLength(256);
    expect(record?.message).toHaveLength(1000);
    expect(await kept(fingerprint.slice(0, 256))).toBeUndefined();
  });

  it('says what is not there, and keeps nothing', async () => {
    const { port: records, calls } = countingRecords(deps.records);
    const counted = { ...deps, records };
    for (const change of [
      { policy: 'q' },
      { channel: 'dev' },
      { snapshot: 'v2020-01-01-0000-00000000' },
    ] as const) {
      await expect(lane.alert(change, counted)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(calls.commit).toBe(0);
  });

  it('keeps tenants apart', async () => {
    const other = await CanaryLane.make(deps, 'other');
    await other.calls.store({ version: '9.0.0' });
    await other.start(7);
    await lane.start(7);
    await other.alert();
    await other.alert({ snapshot: other.stable, fingerprint: 'known' });
    expect(await kept()).toBeUndefined();
    expect((await lane.alert({ fingerprint: 'known' })).new).toBe(true);
    const { record } = await other.calls.store({ version: '8.0.0' });
    const foreign = lane.alert({ snapshot: record.snapshot });
    await expect(foreign).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is not journaled', async () => {
    const before = (await journal(deps.records)).length;
    await lane.alert({ snapshot: lane.stable });
    expect(await journal(deps.records)).toHaveLength(before);
  });

  it('reads once and writes once', async () => {
    await lane.start(7);
    await lane.alert();
    const { port: records, calls } = countingRecords(deps.records);
    await lane.alert({}, { ...deps, records });
    expect(calls).toEqual({ get: 0, getMany: 1, query: 0, commit: 1 });
  });

  it('is counted once each when many come at the same time', async () => {
    await lane.start(7);
    await Promise.all(
      [1, 2, 3, 4, 5].map((n) => lane.alert({ service: `svc-${n}`, fingerprint: `f-${n % 2}` })),
    );
    expect((await kept('f-0'))?.counts?.canary).toBe(2);
    expect((await kept('f-1'))?.counts?.canary).toBe(3);
    const tally = await getRecord(deps, alertTallyKey(lane.calls.lane('prod')));
    expect(tally?.value).toMatchObject({ canary: 2, stable: 0 });
  });

  it.each(['written-but-failed', 'not-written', 'conflict'] as const)(
    'is counted once when its commit is %s',
    async (fault) => {
      await lane.start(7);
      const faulty = () => ({ ...deps, records: faultyRecords(deps.records, { commit: [fault] }) });
      await lane.alert({}, faulty());
      await lane.alert({}, faulty());
      expect((await kept())?.counts).toEqual({ run: 7, canary: 2, stable: 0 });
      const account = await getRecord(deps, serviceKey(lane.calls.lane('prod'), 'svc-1'));
      expect(account?.value.account?.canary.waiting).toBe(2);
    },
  );

  it('says so when the store does not answer, or others are always faster', async () => {
    for (const fault of ['not-written', 'conflict'] as const) {
      const records = faultyRecords(deps.records, ({ method }) =>
        method === 'commit' ? fault : 'none',
      );
      const { port, calls } = countingRecords(records);
      const alert = lane.alert({ snapshot: lane.stable }, { ...deps, records: port });
      await expect(alert).rejects.toMatchObject({ code: 'unavailable', retryable: true });
      expect(calls.commit).toBeLessThanOrEqual(12);
    }
    expect(await kept()).toBeUndefined();
  });
});

describe('reportAlert, in a flood of fingerprints', () => {
  let deps: CoreDeps;
  let lane: CanaryLane;
  beforeEach(async () => {
    deps = coreDeps();
    lane = await CanaryLane.make(deps);
    await lane.start(7);
    for (let n = 0; n < 510; n++) {
      await lane.alert({ snapshot: lane.stable, fingerprint: `stable-${n}` });
    }
  });
  const tally = async () => (await getRecord(deps, alertTallyKey(lane.calls.lane('prod'))))?.value;
  const kept = () =>
    queryRecords<AlertRecord>(deps, {
      partition: alertsPartition(lane.calls.lane('prod')),
      until: 'f'.repeat(64),
      limit: 1000,
    });
  const counts = (startedAtMs: number) =>
    canaryCounts(deps, 'demo', [{ id: 'p', channel: 'prod' }], 7, startedAtMs);

  it('keeps 500, counts the rest, and leaves room for the other arm', async () => {
    expect(await kept()).toHaveLength(500);
    expect(await tally()).toMatchObject({
      canary: 0,
      stable: 500,
      beyond: { run: 7, canary: 0, stable: 10 },
    });
    expect(await lane.alert({ fingerprint: 'mine' })).toMatchObject({ arm: 'canary', new: true });
    const { newAlerts, waitingAlerts } = await counts(deps.clock.nowMs());
    expect(newAlerts).toEqual(['mine']);
    expect(waitingAlerts).toBe(511);
    // One that is kept goes on counting.
    await lane.alert({ snapshot: lane.stable, fingerprint: 'stable-1' });
    expect((await tally())?.beyond?.stable).toBe(10);
  });

  it('counts anew once a minute at most, and has room again once some are forgotten', async () => {
    const { port: records, calls } = countingRecords(deps.records);
    const counted = { ...deps, records };
    const one = (n: number) =>
      lane.alert({ snapshot: lane.stable, fingerprint: `late-${n}` }, counted);
    await one(1);
    expect(calls.query).toBe(0);
    deps.clock.set(deps.clock.nowMs() + 60_000);
    await one(2);
    await one(3);
    expect(calls.query).toBe(1);
    expect((await tally())?.beyond?.stable).toBe(13);
    deps.clock.set(deps.clock.nowMs() + 48 * hourMs);
    await one(4);
    expect(await kept()).toHaveLength(1);
    expect(await tally()).toMatchObject({ canary: 0, stable: 1 });
  });

  it('names at most 100 new ones', async () => {
    for (let n = 0; n < 120; n++) await lane.alert({ fingerprint: `${n}-${'x'.repeat(300)}` });
    const { newAlerts } = await counts(deps.clock.nowMs());
    expect(newAlerts).toHaveLength(100);
    expect(Math.max(...newAlerts.map((name) => name.length))).toBe(120);
  });
});
