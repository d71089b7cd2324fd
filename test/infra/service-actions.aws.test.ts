import { afterAll, beforeAll, expect, it } from 'vitest';
import { probeForAWhile } from '../../src/core/registry/keep-probing.ts';
import { readService } from '../../src/core/registry/read-service.ts';
import { faultyRecords } from '../support/faulty-records.ts';
import { grantedActions } from './granted-actions.ts';
import { comparePartitions } from './granted-partitions.ts';
import { RecordedPlatform } from './recorded-platform.ts';
import { RecordedServices } from './recorded-services.ts';
import { synthStage } from './synth-stage.ts';

/** What the prober calls, as recorded here, is what it may call: no more and no less. */

const { services: template } = synthStage('prod').templates;

let platform: RecordedPlatform;
let services: RecordedServices;

beforeAll(async () => {
  platform = await RecordedPlatform.open();
  services = await RecordedServices.open(platform);
});

afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

it('the prober may call what it calls', async () => {
  const { deps, actions, partitions } = platform.deps();
  await services.register('probed');
  await services.target.stop();
  // Its sleeps take no time: the clock goes by them.
  const clock = {
    nowMs: () => platform.clock.nowMs(),
    sleep: async (ms: number) => services.pass(ms),
  };
  // The answer to one commit with a journal entry is lost: it looks whose entry is there.
  let isLost = false;
  const records = faultyRecords(deps.records, ({ method, args: [writes] }) => {
    if (method !== 'commit' || isLost || (writes as readonly unknown[]).length === 1) return 'none';
    isLost = true;
    return 'written-but-failed';
  });
  await probeForAWhile({ ...deps, records, clock }, 63_000);
  expect(isLost).toBe(true);
  const { health } = await readService(deps, 'demo', 'probed');
  expect(health).toMatchObject({ status: 'red', reason: expect.stringContaining('ECONNREFUSED') });
  expect([...actions].sort()).toEqual(grantedActions(template, 'ProbeServicesFunction'));
  const compared = comparePartitions(template, 'ProbeServicesFunction', partitions);
  expect(compared).toEqual({ missing: [], unused: [] });
});
