import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerTypes } from '../../src/contract/worker-types.ts';
import { reconcileJobs } from '../../src/core/jobs/reconcile-jobs.ts';
import type { Json } from '../../src/core/values/json.ts';
import { grantedActions } from './granted-actions.ts';
import { comparePartitions } from './granted-partitions.ts';
import { largeData, potholeData, RecordedJobs } from './recorded-jobs.ts';
import { type RecordedDeps, RecordedPlatform } from './recorded-platform.ts';
import { RecordedServices } from './recorded-services.ts';
import { synthStage } from './synth-stage.ts';

/** What each function of jobs calls, as recorded here, is what it may call: no more and no less. */

const { jobs: template } = synthStage('prod').templates;

let platform: RecordedPlatform;
let jobs: RecordedJobs;
let services: RecordedServices;

beforeAll(async () => {
  platform = await RecordedPlatform.open();
  jobs = new RecordedJobs(platform);
  await jobs.refer();
  services = await RecordedServices.open(platform);
  await services.register('paid-for');
});

afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

const inMs = (ms: number) => platform.clock.nowMs() + ms;

/** The service is not there at the only attempt. */
async function failOneForGood(type: string, deps: RecordedDeps, data: Json): Promise<void> {
  const dies = await jobs.submit(type, data, { maxAttempts: 1 });
  await services.target.stop();
  await jobs.work(type, deps);
  await services.target.start();
  expect(await jobs.status(dies)).toBe('dead');
}

describe('a function of jobs may call what it calls', () => {
  it.each([
    ['WorkPotholeReport', 'pothole.report', async () => potholeData()],
    ['WorkCaseClose', 'case.close', async () => ({ case: (await jobs.openCase()).caseId })],
    [
      'WorkEventDeliver',
      'event.deliver',
      async () => ({ ...(await services.publish('paid-for')) }),
    ],
  ] as const)('%s', async (id, type, dataOf: () => Promise<Json>) => {
    const { deps, actions, partitions } = platform.deps();
    const done = await jobs.submit(type, await dataOf());
    // Its data is in the blob store, and not what the worker takes.
    const refused = await jobs.storeAndDie(type, largeData);
    const early = await jobs.submit(type, await dataOf(), { notBeforeMs: inMs(30_000) });
    const muchTooEarly = await jobs.submit(type, await dataOf(), { notBeforeMs: inMs(3_600_000) });
    await jobs.handOut(type, refused);
    await jobs.handOut(type, early);
    await jobs.handOut(type, muchTooEarly);
    expect((await jobs.work(type, deps)).sort()).toEqual(['ended', 'ended', 'ended', 'waits']);
    expect(await jobs.status(done)).toBe('completed');
    expect(await jobs.status(refused)).toBe('rejected');
    for (const waits of [early, muchTooEarly]) expect(await jobs.status(waits)).toBe('queued');
    if (type === 'event.deliver') await failOneForGood(type, deps, await dataOf());
    expect([...actions].sort()).toEqual(grantedActions(template, `${id}Function`));
    const compared = comparePartitions(template, `${id}Function`, partitions);
    expect(compared).toEqual({ missing: [], unused: [] });
  });

  it('the reconciler', async () => {
    const { deps, actions, partitions } = platform.deps();
    const lost = await jobs.storeAndDie('pothole.report', potholeData());
    await reconcileJobs({ ...deps, workerTypes }, { staleMs: 0, againMs: 0, maxJobs: 100 });
    await jobs.work('pothole.report');
    expect(await jobs.status(lost)).toBe('completed');
    expect([...actions].sort()).toEqual(grantedActions(template, 'ReconcileJobsFunction'));
    const compared = comparePartitions(template, 'ReconcileJobsFunction', partitions);
    expect(compared).toEqual({ missing: [], unused: [] });
  });
});
