import { beforeEach, describe, expect, it } from 'vitest';
import { getRecord } from '../../../src/core/records.ts';
import { type Receipt, reportReceipts } from '../../../src/core/telemetry/report-receipts.ts';
import { serviceKey } from '../../../src/core/telemetry/telemetry-keys.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { CanaryLane } from './canary-lane.ts';

const dayMs = 24 * 3_600_000;

describe('reportReceipts', () => {
  let deps: CoreDeps;
  let lane: CanaryLane;
  beforeEach(async () => {
    deps = coreDeps();
    lane = await CanaryLane.make(deps);
  });
  const kept = async (service = 'svc-1') =>
    (await getRecord(deps, serviceKey(lane.calls.lane('prod'), service)))?.value;
  const later = (ms: number) => deps.clock.set(deps.clock.nowMs() + ms);
  const receipt = (snapshot: string, change: Partial<Receipt> = {}): Receipt => ({
    policy: 'p',
    channel: 'prod',
    snapshot,
    status: 'applied',
    ...change,
  });
  const report = (receipts: readonly Receipt[], reportId: string | null = null, tenant = 'demo') =>
    reportReceipts(deps, { tenant, subject: 'svc-1' }, receipts, reportId);

  it('keeps what a service runs, and since when', async () => {
    const beganMs = deps.clock.nowMs();
    expect(await lane.tell('svc-1', lane.stable)).toEqual({
      status: 'recorded',
      arm: 'stable',
      run: null,
    });
    later(1000);
    await lane.tell('svc-1', lane.stable, 5);
    const applied = { snapshot: lane.stable, status: 'applied', reason: null };
    expect((await kept())?.told).toEqual({
      ...applied,
      firstAppliedAtMs: beganMs,
      atMs: beganMs + 1000,
    });
    later(1000);
    await lane.tell('svc-1', lane.candidate, undefined, { status: 'refused', reason: 'no CEL' });
    expect((await kept())?.told).toMatchObject({
      snapshot: lane.candidate,
      status: 'refused',
      reason: 'no CEL',
      firstAppliedAtMs: null,
    });
    later(1000);
    await lane.tell('svc-1', lane.stable);
    expect((await kept())?.told?.firstAppliedAtMs).toBe(deps.clock.nowMs());
  });

  it('adds decisions up by arm while a canary is on', async () => {
    await lane.tell('svc-1', lane.stable, 1000);
    expect((await kept())?.account).toBeNull();
    await lane.start(7);
    expect(await lane.tell('svc-1', lane.candidate, 30)).toMatchObject({ arm: 'canary', run: 7 });
    await lane.tell('svc-1', lane.candidate, 12);
    await lane.tell('svc-2', lane.stable, 400);
    expect((await kept())?.account).toMatchObject({
      run: 7,
      candidate: 'applied',
      canary: { decisions: 42 },
      stable: { decisions: 0 },
    });
    expect((await kept('svc-2'))?.account?.stable.decisions).toBe(400);
    await lane.end();
    await lane.tell('svc-1', lane.candidate, 99);
    expect((await kept())?.account?.canary.decisions).toBe(42);
    await lane.start(8);
    await lane.tell('svc-1', lane.candidate, 1);
    expect((await kept())?.account).toMatchObject({ run: 8, canary: { decisions: 1 } });
  });

  it('counts alerts together with the decisions that come after them', async () => {
    await lane.start(7);
    await lane.alert();
    await lane.alert({ snapshot: lane.stable });
    await lane.tell('svc-1', lane.candidate);
    expect((await kept())?.account?.canary).toEqual({ decisions: 0, alerts: 0, waiting: 1 });
    await lane.tell('svc-1', lane.candidate, 50);
    expect((await kept())?.account).toMatchObject({
      canary: { decisions: 50, alerts: 1, waiting: 0 },
      stable: { decisions: 0, alerts: 0, waiting: 1 },
    });
    await lane.tell('svc-1', lane.stable, 0);
    expect((await kept())?.account?.stable).toEqual({ decisions: 0, alerts: 1, waiting: 0 });
  });

  it('takes both arms in one call, and lets the service stand on the last', async () => {
    const beganMs = deps.clock.nowMs();
    await lane.start(7);
    for (let call = 0; call < 2; call++) {
      later(1000);
      await report([
        receipt(lane.candidate, { decisions: 5 }),
        receipt(lane.stable, { decisions: 95 }),
      ]);
    }
    const { told, account } = (await kept())!;
    expect(told).toMatchObject({ snapshot: lane.stable, firstAppliedAtMs: beganMs + 1000 });
    expect(account).toMatchObject({ candidate: 'applied', canary: { decisions: 10 } });
  });

  it('answers each in its place, and takes the good ones', async () => {
    await lane.start(7);
    const answers = await report([
      receipt('v2020-01-01-0000-00000000'),
      receipt(lane.candidate, { decisions: 3 }),
      receipt(lane.stable, { policy: 'q' }),
      receipt(lane.stable, { channel: 'dev' }),
      receipt(lane.candidate, { decisions: 4 }),
    ]);
    const notFound = { status: 'failed', error: { code: 'not_found' } };
    const recorded = { status: 'recorded', arm: 'canary', run: 7 };
    expect(answers).toMatchObject([notFound, recorded, notFound, notFound, recorded]);
    expect((await kept())?.account?.canary.decisions).toBe(7);
  });

  it('takes 100, in any number of policies', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `p${n}`);
    const lanes = await Promise.all(ids.map((id) => CanaryLane.make(deps, 'demo', id)));
    const receipts = Array.from({ length: 100 }, (_, n) => {
      const { calls, stable } = lanes[n % 40]!;
      return receipt(stable, { policy: calls.id, decisions: 1 });
    });
    const answers = await report(receipts);
    expect(answers).toHaveLength(100);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['recorded']));
    const same = Array.from({ length: 100 }, (_, n) => receipt(`v2020-01-01-0000-${n}`));
    expect(await report(same)).toHaveLength(100);
  });

  it('counts twice what comes twice, unless it has an id', async () => {
    await lane.start(7);
    const told = [receipt(lane.candidate, { decisions: 10 })];
    await report(told);
    await report(told);
    expect((await kept())?.account?.canary.decisions).toBe(20);
    expect(await report(told, 'r1')).toMatchObject([{ status: 'recorded' }]);
    expect(await report(told, 'r1')).toMatchObject([{ status: 'repeated', arm: 'canary', run: 7 }]);
    expect((await kept())?.account?.canary.decisions).toBe(30);
    // One without an id does not make it forget.
    await report(told);
    expect(await report(told, 'r1')).toMatchObject([{ status: 'repeated' }]);
    expect(await report(told, 'r2')).toMatchObject([{ status: 'recorded' }]);
    expect((await kept())?.account?.canary.decisions).toBe(50);
  });

  it('takes a service of any name', async () => {
    const service = `\u0007 #${'é'.repeat(2000)}`;
    await lane.tell(service, lane.stable);
    expect((await kept(service))?.service).toBe(service);
  });

  it('forgets a service that is silent for 7 days', async () => {
    await lane.tell('svc-1', lane.stable);
    later(7 * dayMs - 1);
    expect(await kept()).toBeDefined();
    later(1);
    expect(await kept()).toBeUndefined();
  });

  it('keeps tenants apart', async () => {
    const other = await CanaryLane.make(deps, 'other');
    const { record } = await other.calls.store({ version: '9.0.0' });
    expect(await report([receipt(record.snapshot)])).toMatchObject([
      { status: 'failed', error: { code: 'not_found' } },
    ]);
    await lane.tell('svc-1', lane.stable);
    expect(await getRecord(deps, serviceKey(other.calls.lane('prod'), 'svc-1'))).toBeUndefined();
  });

  it('adds up when two report at the same time', async () => {
    await lane.start(7);
    await Promise.all([1, 2, 3, 4].map((n) => lane.tell('svc-1', lane.candidate, n)));
    expect((await kept())?.account?.canary.decisions).toBe(10);
  });

  it.each(['written-but-failed', 'not-written', 'conflict'] as const)(
    'adds up once when its commit is %s',
    async (fault) => {
      await lane.start(7);
      for (let call = 0; call < 2; call++) {
        const records = faultyRecords(deps.records, { commit: [fault] });
        await lane.tell('svc-1', lane.candidate, 10, {}, { ...deps, records });
      }
      expect((await kept())?.account?.canary.decisions).toBe(20);
    },
  );

  it('answers for each policy when the store fails for one', async () => {
    const { stable } = await CanaryLane.make(deps, 'demo', 'q');
    const records = faultyRecords(deps.records, ({ method, args }) =>
      method === 'commit' && JSON.stringify(args).includes('#receipts#q#') ? 'not-written' : 'none',
    );
    const answers = await reportReceipts(
      { ...deps, records },
      { tenant: 'demo', subject: 'svc-1' },
      [receipt(lane.stable), receipt(stable, { policy: 'q' })],
      null,
    );
    expect(answers).toMatchObject([
      { status: 'recorded' },
      { status: 'failed', error: { code: 'unavailable', retryable: true } },
    ]);
  });

  it('reads a policy in two calls, whatever is said of it, and writes once', async () => {
    const { port: records, calls } = countingRecords(deps.records);
    const told = Array.from({ length: 100 }, () => receipt(lane.stable));
    const by = { tenant: 'demo', subject: 'svc-1' };
    await reportReceipts({ ...deps, records }, by, told, null);
    expect(calls).toEqual({ get: 0, getMany: 2, query: 0, commit: 1 });
  });

  it('does not write down the same word for a minute: many processes may say it', async () => {
    await lane.start(7);
    const { port: records, calls, reset } = countingRecords(deps.records);
    const counted = { ...deps, records };
    const say = async (receipts: readonly Receipt[]) => {
      reset();
      const by = { tenant: 'demo', subject: 'svc-1' };
      const answers = await reportReceipts(counted, by, receipts, deps.ids.next());
      expect(answers.map(({ status }) => status)).toEqual(receipts.map(() => 'recorded'));
      return calls.commit;
    };
    const { stable, candidate } = lane;
    expect(await say([receipt(candidate), receipt(stable)])).toBe(1);
    later(60_000);
    expect(await say([receipt(stable)])).toBe(0);
    expect(await say([receipt(candidate), receipt(stable)])).toBe(0);
    expect(await say([receipt(stable, { decisions: 0 })])).toBe(1);
    expect(await say([receipt(stable, { status: 'refused', reason: 'a' })])).toBe(1);
    expect(await say([receipt(stable, { status: 'refused', reason: 'a' })])).toBe(0);
    expect(await say([receipt(stable, { status: 'refused', reason: 'b' })])).toBe(1);
    expect(await say([receipt(candidate, { status: 'refused' }), receipt(stable)])).toBe(1);
    expect(await say([receipt(candidate)])).toBe(1);
    expect((await kept())?.account?.candidate).toBe('applied');
    later(60_001);
    expect(await say([receipt(candidate)])).toBe(1);
    expect((await kept())?.told?.atMs).toBe(deps.clock.nowMs());
  });
});
