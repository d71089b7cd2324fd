import { afterAll, beforeAll, expect, it } from 'vitest';
import { probeForAWhile } from '../../src/core/registry/keep-probing.ts';
import { readService } from '../../src/core/registry/read-service.ts';
import { grantedActions } from './granted-actions.ts';
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
  const { deps, actions } = platform.deps();
  await services.register('probed');
  await services.target.stop();
  // Its sleeps take no time: the clock goes by them.
  const clock = {
    nowMs: () => platform.clock.nowMs(),
    sleep: async (ms: number) => services.pass(ms),
  };
  await probeForAWhile({ ...deps, clock }, 63_000);
  const { health } = await readService(deps, 'demo', 'probed');
  expect(health).toMatchObject({ status: 'red', reason: expect.stringContaining('ECONNREFUSED') });
  expect([...actions].sort()).toEqual(grantedActions(template, 'ProbeServicesFunction'));
});
