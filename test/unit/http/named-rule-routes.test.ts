import { describe, expect, it } from 'vitest';
import { countingRecords } from '../../support/counting-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { ServiceApi } from './service-api.ts';

const get = 'GET /rules/MAX_INCOME';

describe('a single rule', () => {
  it('is the value of the policy of that name, with one read', async () => {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const api = new ServiceApi({ records, clock });
    const snapshot = await api.publish('MAX_INCOME', { value: 80_000, units: 'USD' });
    reset();
    const told = await api.ask('service', get);
    expect(told.text).toBe(
      `{"name":"MAX_INCOME","value":80000,"policy":"MAX_INCOME","version":"1.0.0","snapshot":"${snapshot}"}`,
    );
    expect(told.headers.get('etag')).toBe(`"${snapshot}"`);
    expect(told.headers.get('content-type')).toBe('application/json');
    expect(told.headers.get('cache-control')).toBe('private, no-cache');
    expect(told.headers.get('vary')).toContain('Authorization');
    expect(calls).toEqual({ get: 1, getMany: 0, query: 0, commit: 0 });
  });

  it('is answered by 304 to who has it, with one read', async () => {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const api = new ServiceApi({ records, clock });
    const snapshot = await api.publish('MAX_INCOME', { value: 80_000 });
    for (const tag of [`"${snapshot}"`, `W/"${snapshot}"`, `"x", "${snapshot}"`, '*', snapshot]) {
      reset();
      const told = await api.ask('service', get, { headers: { 'if-none-match': tag } });
      expect([told.status, told.text]).toEqual([304, '']);
      expect(told.headers.get('etag')).toBe(`"${snapshot}"`);
      expect(calls).toEqual({ get: 1, getMany: 0, query: 0, commit: 0 });
    }
    await api.publish('MAX_INCOME', { value: 82_000, version: '1.1.0' });
    const told = await api.ask('service', get, { headers: { 'if-none-match': `"${snapshot}"` } });
    expect(told.body).toMatchObject({ value: 82_000, version: '1.1.0' });
  });

  it.each([
    ['null', null],
    ['a text', 'ä"\\'],
    ['zero', 0],
    ['false', false],
    ['a list', [1, { a: [] }]],
    ['an object', { low: 1, high: 2.5 }],
  ])('may be %s', async (_, value) => {
    const api = new ServiceApi();
    await api.publish('MAX_INCOME', { value });
    expect((await api.done('service', get))['value']).toEqual(value);
  });

  it('is found when it is too large for the record', async () => {
    const api = new ServiceApi();
    const value = 'x'.repeat(150_000);
    await api.publish('MAX_INCOME', { value });
    expect((await api.done('service', get))['value']).toBe(value);
  });

  it('is of a channel, by the query or the header', async () => {
    const api = new ServiceApi();
    await api.publish('MAX_INCOME', { value: 80_000 });
    await api.publish('MAX_INCOME', { value: 1, version: '2.0.0' }, 'test');
    expect((await api.done('service', `${get}?channel=test`))['value']).toBe(1);
    const headers = { 'x-channel': 'test' };
    expect((await api.done('service', get, { headers }))['value']).toBe(1);
    expect((await api.done('service', `${get}?channel=prod`, { headers }))['value']).toBe(80_000);
    await api.refused(404, 'service', `${get}?channel=dev`);
    expect(await api.refused(400, 'service', `${get}?chanel=test`)).toEqual(['query:chanel']);
  });

  it('waits for its effective time', async () => {
    const api = new ServiceApi();
    const { clock } = api.deps;
    const effectiveMs = clock.nowMs() + 60_000;
    await api.publish('MAX_INCOME', { value: 1, effective: new Date(effectiveMs).toISOString() });
    const early = await api.ask('service', get);
    expect([early.status, early.body['code']]).toEqual([404, 'not_in_force']);
    clock.set(effectiveMs);
    expect((await api.done('service', get))['value']).toBe(1);
  });

  it('says so when there is no such policy, or it has no value', async () => {
    const api = new ServiceApi();
    await api.publish('epa-pm25-limit', { limit: 25 });
    const missing = await api.ask('service', 'GET /rules/max_income');
    expect(missing.body).toMatchObject({
      status: 404,
      detail: 'There is no policy "max_income" in prod.',
    });
    const without = await api.ask('service', 'GET /rules/epa-pm25-limit');
    expect(without.body).toMatchObject({
      status: 404,
      code: 'not_found',
      detail:
        'The policy "epa-pm25-limit" has no field "value"; read all of it at /api/policies/epa-pm25-limit.',
    });
    expect(await api.refused(400, 'service', 'GET /rules/-x')).toEqual(['path:rule']);
  });

  it('is for who may read rules, of its own tenant', async () => {
    const api = new ServiceApi();
    await api.publish('MAX_INCOME', { value: 80_000 });
    await api.refused(404, 'stranger', get);
    await api.refused(401, 'nobody', get);
    const headers = { 'x-subject': 'maya' };
    expect((await api.ask('service', get, { headers })).status).toBe(403);
    expect((await api.done('admin', get, { headers }))['value']).toBe(80_000);
  });
});
