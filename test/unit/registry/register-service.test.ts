import { describe, expect, it } from 'vitest';
import { Conflict, NotFound, Unavailable } from '../../../src/core/errors/app-error.ts';
import { listServices } from '../../../src/core/registry/list-services.ts';
import { maxServices } from '../../../src/core/registry/read-service.ts';
import { SleeplessClock } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { journal } from '../journal/notes.ts';
import { check, minuteMs, ServiceDesk, startMs } from './service-desk.ts';

const at = new Date(startMs).toISOString();

describe('registering a service', () => {
  it('probes it, and gives it traffic with the first word of it', async () => {
    const desk = new ServiceDesk();
    const put = await desk.put('maya', { url: 'https://maya.example/base/' });
    expect(put).toMatchObject({
      status: 'registered',
      record: { registeredAt: at, changedAt: at, changedBy: 'ann' },
      health: { status: 'green', reason: 'answered 200' },
    });
    expect(desk.probe.made.map(({ url }) => url)).toEqual(['https://maya.example/base/health']);
    const { status: _, ...stored } = put;
    expect(await desk.read('maya')).toEqual(stored);
    expect(await desk.listed()).toEqual(['demo/maya 10']);
    const [entry] = await journal(desk.deps.records, 'demo');
    expect(entry).toMatchObject({
      action: 'service.registered',
      subject: 'service:maya',
      actor: 'ann',
      before: null,
      after: { manifest: stored.record.manifest, health: { status: 'green', up: 1, targets: 1 } },
    });
  });

  it('leaves one that does not answer red, and registered', async () => {
    const desk = new ServiceDesk();
    desk.probe.answer = () => 404;
    const { health } = await desk.put('maya');
    expect(health).toMatchObject({ status: 'red', reason: 'answered 404' });
    expect(await desk.told()).toEqual(['service.registered']);
  });

  it('again, with the same manifest, changes nothing', async () => {
    const desk = new ServiceDesk();
    const first = await desk.put('maya', { url: 'https://maya.example/' });
    desk.deps.clock.set(startMs + minuteMs);
    const again = await desk.put('maya', { url: 'https://MAYA.example' });
    expect(again).toEqual({ ...first, status: 'unchanged' });
    expect(desk.probe.made).toHaveLength(1);
    expect(await desk.told()).toEqual(['service.registered']);
  });

  it('again, once it has come up, gives it traffic', async () => {
    const desk = new ServiceDesk();
    desk.probe.answer = () => 'refused';
    await desk.put('maya');
    desk.probe.answer = () => 200;
    desk.deps.clock.set(startMs + 5000);
    const { status, health } = await desk.put('maya');
    expect([status, health.status]).toEqual(['unchanged', 'green']);
    expect(await desk.told()).toEqual(['service.registered', 'service.health red green']);
  });

  it('with another manifest changes it, and keeps what is known of a target that stays', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    desk.deps.clock.set(startMs + minuteMs);
    const routes = await desk.put('maya', { routes: ['/check'] });
    expect(routes.status).toBe('changed');
    expect(routes.record.registeredAt).toBe(at);
    expect(routes.record.changedAt).toBe(new Date(startMs + minuteMs).toISOString());
    expect(desk.probe.made).toHaveLength(1);
    const more = await desk.put('maya', {
      replicas: ['https://b.example'],
      health: { ...check, intervalS: 30 },
    });
    expect(desk.probe.made.map(({ url }) => url)).toEqual([
      'https://maya.example/health',
      'https://b.example/health',
    ]);
    expect(more.health).toMatchObject({ status: 'green', reason: 'all 2 are up' });
    expect(more.health.targets.map(({ sinceMs }) => sinceMs)).toEqual([
      startMs,
      startMs + minuteMs,
    ]);
    expect(await desk.listed()).toEqual(['demo/maya 30']);
    expect(await desk.told()).toEqual(['service.registered', 'service.changed', 'service.changed']);
  });

  it('with another URL that does not answer takes its traffic away', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    desk.probe.answer = (url) => (url.includes('new') ? 'refused' : 200);
    const { health } = await desk.put('maya', { url: 'https://new.example' });
    expect(health).toMatchObject({ status: 'red', targets: [{ url: 'https://new.example' }] });
  });

  it('is refused for what is wrong with it, before anything is probed', async () => {
    const desk = new ServiceDesk();
    await expect(desk.put('maya', { url: 'https://169.254.169.254' })).rejects.toMatchObject({
      code: 'invalid_request',
      details: [{ pointer: '/url', detail: 'must not lead to this machine or a private network' }],
    });
    expect(desk.probe.made).toEqual([]);
    expect(await desk.told()).toEqual([]);
  });

  it(`is refused beyond ${maxServices} of them, also at the same moment`, async () => {
    const desk = new ServiceDesk();
    for (let i = 0; i < maxServices - 1; i++) await desk.put(`s${i}`);
    const both = await Promise.allSettled([desk.put('one'), desk.put('two')]);
    const refused = both.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toEqual([expect.any(Conflict)]);
    expect((await desk.put('s0', { routes: ['/x'] })).status).toBe('changed');
    await desk.put('elsewhere', {}, 'other');
    await desk.remove('s0');
    expect((await desk.put('three')).status).toBe('registered');
    expect(await desk.listed()).toHaveLength(maxServices + 1);
  });

  it('is of one tenant', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya', {}, 'other');
    await expect(desk.read('maya')).rejects.toThrow(NotFound);
    await expect(desk.remove('maya')).rejects.toThrow(NotFound);
    await desk.put('maya');
    await desk.remove('maya');
    expect(await desk.listed()).toEqual(['other/maya 10']);
    expect(await desk.told('other')).toEqual(['service.registered']);
  });

  it('takes one round trip before the probe, two reads and one write after it', async () => {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const desk = new ServiceDesk({ records, clock });
    await desk.put('maya');
    expect(calls).toEqual({ get: 1, getMany: 2, query: 0, commit: 1 });
    reset();
    await desk.put('maya');
    expect(calls).toEqual({ get: 1, getMany: 2, query: 0, commit: 0 });
    reset();
    await desk.read('maya');
    expect(calls).toEqual({ get: 0, getMany: 1, query: 0, commit: 0 });
    reset();
    await desk.remove('maya');
    expect(calls).toEqual({ get: 1, getMany: 1, query: 0, commit: 1 });
  });
});

describe('taking a service out', () => {
  it('leaves nothing of it but its entries', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    await desk.remove('maya');
    await expect(desk.read('maya')).rejects.toThrow('There is no service "maya".');
    expect(await desk.listed()).toEqual([]);
    expect(await desk.told()).toEqual(['service.registered', 'service.removed']);
    await expect(desk.remove('maya')).rejects.toThrow(NotFound);
    await expect(desk.remove('No/name')).rejects.toThrow('There is no such service.');
  });

  it('and in again begins anew', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    await desk.remove('maya');
    desk.probe.answer = () => 500;
    expect(await desk.put('maya')).toMatchObject({
      status: 'registered',
      health: { status: 'red', targets: [{ proven: false }] },
    });
  });
});

describe('the list of services', () => {
  it('has those that are alive, or all of them, page by page', async () => {
    const desk = new ServiceDesk();
    desk.probe.answer = (url) => (/b\d/.test(url) ? 503 : 200);
    for (const name of ['a1', 'b1', 'a2', 'b2', 'a3']) await desk.put(name);
    const names = async (all: boolean, limit: number) => {
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await listServices(desk.deps, 'demo', { all }, cursor, limit);
        pages.push(page.items.map(({ record }) => record.manifest.name));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return pages;
    };
    expect(await names(false, 2)).toEqual([['a1', 'a2'], ['a3']]);
    expect(await names(true, 2)).toEqual([['a1', 'a2'], ['a3', 'b1'], ['b2']]);
    expect(await names(true, 5)).toEqual([['a1', 'a2', 'a3', 'b1', 'b2']]);
    expect(await listServices(desk.deps, 'other', { all: true }, undefined, 5)).toEqual({
      items: [],
      next: null,
    });
  });
});

describe('when the store does not answer', () => {
  it.each(['not-written', 'written-but-failed', 'conflict'] as const)(
    'a service is there whole or not at all, and once: %s',
    async (fault) => {
      for (let nth = 1; nth <= 3; nth++) {
        const clock = new SleeplessClock();
        const memory = memoryRecords(clock);
        const sane = new ServiceDesk({ records: memory, clock });
        const records = faultyRecords(memory, (call) =>
          call.method === 'commit' && call.nth === nth ? fault : undefined,
        );
        const desk = new ServiceDesk({ records, clock });
        await desk.put('maya');
        await desk.put('maya', { routes: ['/x'] });
        await desk.remove('maya');
        expect(await sane.told()).toEqual([
          'service.registered',
          'service.changed',
          'service.removed',
        ]);
        expect(await sane.listed()).toEqual([]);
      }
    },
  );

  it('says so, and a repeat does it', async () => {
    const clock = new ManualClock();
    const memory = memoryRecords(clock);
    const records = faultyRecords(memory, { getMany: ['not-written'] });
    const desk = new ServiceDesk({ records, clock });
    await expect(desk.put('maya')).rejects.toThrow(Unavailable);
    expect((await desk.put('maya')).status).toBe('registered');
  });
});
