import { describe, expect, it } from 'vitest';
import { NotFound, Unavailable } from '../../../src/core/errors/app-error.ts';
import { CallKeys } from '../../../src/core/gateway/call-keys.ts';
import { callKeyOf } from '../../../src/core/gateway/sign-call.ts';
import { serviceSecret } from '../../../src/core/registry/service-keys.ts';
import { SleeplessClock } from '../../support/core-deps.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { injectFaults } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { Killed, Life } from '../journal/mortal.ts';
import { ServiceDesk } from './service-desk.ts';

const address = serviceSecret({ tenant: 'demo', name: 'maya' });

describe('the secret of a service', () => {
  it('has a new id each time, which stays while the service is changed', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    const id = async () => (await desk.read('maya')).record.secretId;
    expect(await id()).toBeUndefined();
    const secret = await desk.rotate('maya');
    expect(await desk.deps.secrets.get(address)).toBe(secret);
    const first = await id();
    expect(first).toEqual(expect.any(String));
    await desk.put('maya', { routes: ['/x'] });
    expect(await id()).toBe(first);
    await desk.rotate('maya');
    expect(await id()).not.toBe(first);
    expect(await desk.deps.secrets.getPrevious(address)).toBe(secret);
    expect(await desk.told()).toEqual([
      'service.registered',
      'service.rekeyed',
      'service.changed',
      'service.rekeyed',
    ]);
  });

  it('goes with the service, and one of the same name begins without', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    await desk.put('ravi');
    await desk.rotate('maya');
    const others = await desk.rotate('ravi');
    await desk.remove('maya');
    expect(await desk.deps.secrets.get(address)).toBeUndefined();
    expect(await desk.deps.secrets.get({ ...address, name: 'service/ravi' })).toBe(others);
    await desk.put('maya');
    expect((await desk.read('maya')).record.secretId).toBeUndefined();
  });

  it('of a name that is none is not looked for', async () => {
    const desk = new ServiceDesk();
    for (const name of ['../maya', 'Maya', '']) {
      await expect(desk.remove(name)).rejects.toThrow(NotFound);
    }
  });

  it('is not left behind of a service that was removed while it was made', async () => {
    const clock = new ManualClock();
    const memory = memoryRecords(clock);
    const sane = new ServiceDesk({ records: memory, clock });
    await sane.put('maya');
    // Between the look whether there is one, and the commit.
    const secrets = injectFaults(memorySecrets(), { put: true }, () => ({
      before: () => sane.remove('maya'),
    }));
    const desk = new ServiceDesk({ records: memory, clock, secrets });
    await expect(desk.rotate('maya')).rejects.toThrow(NotFound);
    expect(await secrets.get(address)).toBeUndefined();
  });

  it('stays with the service when the store of secrets does not answer', async () => {
    const secrets = injectFaults(memorySecrets(), { delete: true }, { delete: ['not-written'] });
    const desk = new ServiceDesk({ secrets });
    await desk.put('maya');
    const secret = await desk.rotate('maya');
    await expect(desk.remove('maya')).rejects.toThrow(Unavailable);
    expect(await secrets.get(address)).toBe(secret);
    expect((await desk.read('maya')).record.secretId).toBeDefined();
    await desk.remove('maya');
    expect(await secrets.get(address)).toBeUndefined();
  });

  it.each(['before', 'after'] as const)(
    'is gone with the service after a repeat, whenever the first call was killed: %s a step',
    async (moment) => {
      for (let diesAt = 1; ; diesAt++) {
        const clock = new ManualClock();
        const memory = memoryRecords(clock);
        const kept = memorySecrets();
        const sane = new ServiceDesk({ records: memory, clock, secrets: kept });
        await sane.put('maya');
        await sane.rotate('maya');
        const life = new Life(diesAt, moment);
        const desk = new ServiceDesk({
          records: life.during(memory, 'get', 'getMany', 'query', 'commit'),
          clock,
          secrets: life.during(kept, 'delete'),
        });
        const killed = await desk.remove('maya').then(
          () => false,
          (error: unknown) => error instanceof Killed,
        );
        // It may have been the last step that was not answered.
        const repeated = await sane.remove('maya').catch((error: unknown) => error);
        if (repeated !== undefined) expect(repeated).toBeInstanceOf(NotFound);
        expect(await kept.get(address)).toBeUndefined();
        expect(await sane.listed()).toEqual([]);
        expect((await sane.told()).at(-1)).toBe('service.removed');
        if (!killed) break;
        expect(diesAt).toBeLessThan(20);
      }
    },
  );

  it('that was put and not committed leaves the one before in use, and a repeat replaces it', async () => {
    const clock = new SleeplessClock();
    const memory = memoryRecords(clock);
    const kept = memorySecrets();
    const desk = new ServiceDesk({ records: memory, clock, secrets: kept });
    await desk.put('maya');
    const first = await desk.rotate('maya');
    const before = (await desk.read('maya')).record.secretId;
    const records = faultyRecords(memory, ({ method }) =>
      method === 'commit' ? 'not-written' : undefined,
    );
    const failing = new ServiceDesk({ records, clock, secrets: kept });
    await expect(failing.rotate('maya')).rejects.toThrow(Unavailable);
    expect((await desk.read('maya')).record.secretId).toBe(before);
    const keys = await new CallKeys({ ...desk.deps, clock }).of(
      { tenant: 'demo', name: 'maya' },
      before,
    );
    expect(keys).toContainEqual(callKeyOf(first));
    const second = await desk.rotate('maya');
    expect(await kept.get(address)).toBe(second);
  });
});
