import { beforeEach, describe, expect, it } from 'vitest';
import { canaryCounts } from '../../../src/core/telemetry/canary-counts.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { CanaryLane } from './canary-lane.ts';

const hourMs = 3_600_000;

describe('canaryCounts', () => {
  let deps: CoreDeps;
  let lane: CanaryLane;
  let startedAtMs: number;
  beforeEach(async () => {
    deps = coreDeps();
    lane = await CanaryLane.make(deps);
    startedAtMs = deps.clock.nowMs();
  });
  const later = (ms: number) => deps.clock.set(deps.clock.nowMs() + ms);
  const counts = (run = 7, ids = ['p'], tenant = 'demo') =>
    canaryCounts(
      deps,
      tenant,
      ids.map((id) => ({ id, channel: 'prod' })),
      run,
      startedAtMs,
    );
  const start = async () => {
    await lane.start(7);
    startedAtMs = deps.clock.nowMs();
  };
  const nothing = {
    canaryDecisions: 0,
    stableDecisions: 0,
    canaryAlerts: 0,
    stableAlerts: 0,
    waitingAlerts: 0,
    newAlerts: [],
    acknowledged: 0,
    refused: 0,
  };

  it('is nothing of a canary of which nobody told', async () => {
    await start();
    expect(await counts()).toEqual(nothing);
    expect(await counts(7, [])).toEqual(nothing);
  });

  it('sums what the services of a lane told', async () => {
    await start();
    await lane.alert({ service: 'svc-1' });
    await lane.alert({ service: 'svc-2', fingerprint: 'late' });
    await lane.alert({ service: 'svc-3', snapshot: lane.stable, fingerprint: 'old' });
    await lane.tell('svc-1', lane.candidate, 40);
    await lane.tell('svc-2', lane.candidate);
    await lane.tell('svc-3', lane.stable, 900);
    await lane.tell('svc-4', lane.candidate, undefined, { status: 'refused' });
    expect(await counts()).toEqual({
      canaryDecisions: 40,
      stableDecisions: 900,
      canaryAlerts: 1,
      stableAlerts: 1,
      waitingAlerts: 1,
      newAlerts: ['db-timeout', 'late'],
      acknowledged: 2,
      refused: 1,
    });
    expect(await counts(8)).toEqual(nothing);
    expect(await counts(7, ['p'], 'other')).toEqual(nothing);
  });

  it('counts a service and a fingerprint once over the policies of a bundle', async () => {
    const second = await CanaryLane.make(deps, 'demo', 'q');
    await start();
    await second.start(7);
    for (const each of [lane, second]) {
      await each.alert();
      await each.tell('svc-1', each.candidate, 10);
    }
    await lane.tell('svc-2', lane.candidate);
    await second.tell('svc-2', second.candidate, undefined, { status: 'refused' });
    const sums = { canaryDecisions: 20, newAlerts: ['db-timeout'], acknowledged: 1, refused: 1 };
    expect(await counts(7, ['p', 'q'])).toMatchObject(sums);
    expect(await counts(7, ['q', 'p'])).toMatchObject(sums);
  });

  it('knows a service by its last word on the candidate, whatever it runs besides', async () => {
    await start();
    await lane.tell('svc-1', lane.candidate, undefined, { status: 'refused' });
    await lane.tell('svc-1', lane.candidate);
    await lane.tell('svc-1', lane.stable);
    expect(await counts()).toMatchObject({ acknowledged: 1, refused: 0 });
  });

  it.each([
    [24 * hourMs - 1, []],
    [24 * hourMs, ['db-timeout']],
  ])('with the stable arm showing it %i ms before it began: new is %j', async (ms, fresh) => {
    await lane.alert({ snapshot: lane.stable });
    later(ms);
    await start();
    later(hourMs);
    await lane.alert();
    expect((await counts()).newAlerts).toEqual(fresh);
    // That does not change as time goes by.
    later(22 * hourMs);
    await lane.alert();
    expect((await counts()).newAlerts).toEqual(fresh);
  });

  it('takes back that an alert is new once the stable arm shows it, too', async () => {
    await start();
    await lane.alert();
    expect((await counts()).newAlerts).toEqual(['db-timeout']);
    later(1000);
    await lane.alert({ snapshot: lane.stable });
    expect((await counts()).newAlerts).toEqual([]);
  });

  it('does not count what the stable arm alone shows', async () => {
    await start();
    await lane.alert({ snapshot: lane.stable });
    expect((await counts()).newAlerts).toEqual([]);
    // Also when the canary began anew long after.
    later(25 * hourMs);
    startedAtMs = deps.clock.nowMs();
    expect((await counts()).newAlerts).toEqual([]);
  });

  it('counts of the first stable decisions the part since the canary began', async () => {
    await lane.tell('svc-1', lane.stable, 5000);
    later(45_000);
    await start();
    later(15_000);
    await lane.tell('svc-1', lane.stable, 6000);
    expect((await counts()).stableDecisions).toBe(1500);
    later(60_000);
    await lane.tell('svc-1', lane.stable, 6000);
    expect((await counts()).stableDecisions).toBe(7500);
  });

  it('counts all of them when they were all made since, or nothing says when', async () => {
    await start();
    await lane.tell('svc-1', lane.stable, 300);
    await lane.tell('svc-2', lane.stable, 0);
    await lane.tell('svc-2', lane.stable, 50);
    later(1000);
    await lane.tell('svc-2', lane.stable, 7);
    expect((await counts()).stableDecisions).toBe(357);
  });

  it('does not mistake for decisions of before what an earlier word without any began', async () => {
    await lane.tell('svc-1', lane.stable, 100);
    await start();
    await lane.alert({ snapshot: lane.stable });
    await lane.tell('svc-1', lane.stable);
    later(60_000);
    await lane.tell('svc-1', lane.stable, 600);
    expect(await counts()).toMatchObject({ stableDecisions: 600, stableAlerts: 1 });
  });

  it('reads page by page, and not without end', async () => {
    await start();
    const asked: unknown[] = [];
    // A store that never runs out.
    const page = Array.from({ length: 1000 }, (_, n) => ({
      key: { partition: 'x', sort: `${n}` },
      value: {
        service: `svc-${n}`,
        account: {
          run: 7,
          candidate: 'applied',
          canary: { decisions: 1, alerts: 0, waiting: 0 },
          stable: { decisions: 0, alerts: 0, waiting: 0 },
          opening: null,
        },
      },
      rev: 1,
    }));
    const records = {
      ...deps.records,
      query: async (query: { partition: string; after?: string }) => {
        if (query.partition.includes('#alerts#')) return [];
        asked.push(query.after);
        return page;
      },
    };
    const lanes = [{ id: 'p', channel: 'prod' }] as const;
    const sums = await canaryCounts({ records }, 'demo', lanes, 7, startedAtMs);
    expect(sums).toMatchObject({ canaryDecisions: 20_000, acknowledged: 1000 });
    expect(asked).toEqual([undefined, ...Array.from({ length: 19 }, () => '999')]);
  });
});
