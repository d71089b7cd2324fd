import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/values/json.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { countEffect, deskOf, effectsOf, noteWorker } from './effects.ts';

describe('what keeps a job from being worked on', () => {
  const passed: string[] = [];
  beforeEach(() => void (passed.length = 0));
  const validator = (name: string, reason: string | null) => ({
    name,
    check: async () => {
      passed.push(name);
      return reason;
    },
  });

  it('is the first validator that it does not pass, for good', async () => {
    const desk = deskOf(countEffect, {
      validators: [
        validator('known', null),
        validator('new', 'seen 20 m away'),
        validator('x', 'y'),
      ],
    });
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('ended');
    expect(passed).toEqual(['known', 'new']);
    expect(await desk.job(id)).toMatchObject({
      status: 'rejected',
      attempts: 1,
      error: { code: 'rejected', message: 'seen 20 m away', validator: 'new' },
      history: [{}, {}, { status: 'rejected', detail: 'new: seen 20 m away' }],
    });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(0);
    expect(desk.deps.metrics.told).toEqual([['jobEnded', 'test.note', 'rejected', 0]]);
    expect(await desk.workOnce()).toBe('none');
    await desk.consistent();
  });

  it('may be a validator with a state of its own', async () => {
    class Counter {
      readonly name = 'counter';
      #count = 0;
      async check(): Promise<string | null> {
        this.#count += 1;
        return this.#count > 1 ? 'no more' : null;
      }
    }
    const desk = deskOf(countEffect, { validators: [new Counter()] });
    const first = await desk.submit();
    const second = await desk.submit();
    await desk.workOnce();
    await desk.workOnce();
    const statuses = [await desk.job(first.id), await desk.job(second.id)].map((job) => job.status);
    expect(statuses).toEqual(['completed', 'rejected']);
  });

  it('is its schema, which may have changed since', async () => {
    let isStrict = false;
    const schema = {
      '~standard': {
        validate: (value: unknown) =>
          isStrict
            ? { issues: [{ message: 'is missing', path: ['lat'] }, { message: 'is odd' }] }
            : { value: value as Json },
      },
    };
    const desk = deskOf(countEffect, { schema, validators: [validator('known', null)] });
    const { id } = await desk.submit();
    isStrict = true;
    await desk.workOnce();
    expect(passed).toEqual([]);
    expect((await desk.job(id)).error).toEqual({
      code: 'rejected',
      message: '/data/lat is missing; /data is odd',
      validator: 'schema',
    });
  });

  it('is governance, asked after the validators with actor, action and payload', async () => {
    const asked: unknown[] = [];
    const worker = noteWorker({ validators: [validator('known', null)] });
    const desk = new JobDesk([worker], {
      vet: async (action) => {
        asked.push(action, [...passed]);
        return { verdict: 'denied', reason: 'not on Sundays' };
      },
    });
    const { id } = await desk.submit({ data: { a: 1 }, subject: 'eve', region: 'NCR' });
    await desk.workOnce();
    expect(asked).toEqual([
      {
        tenant: 'demo',
        actor: { id: 'ravi', subject: 'eve', region: 'NCR' },
        action: 'test.note',
        payload: { a: 1 },
      },
      ['known'],
    ]);
    expect(await desk.job(id)).toMatchObject({
      status: 'rejected',
      error: { code: 'rejected', message: 'not on Sundays', validator: 'governance' },
    });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(0);
  });

  it('is tried again when a check itself fails', async () => {
    let count = 0;
    const check = async (): Promise<null> => {
      count += 1;
      if (count === 1) throw new Error('no map');
      return null;
    };
    const desk = deskOf(countEffect, { validators: [{ name: 'map', check }] });
    const { id } = await desk.submit();
    await desk.workOnce();
    expect(await desk.job(id)).toMatchObject({
      status: 'failed',
      error: { code: 'handler_failed', message: 'no map' },
    });
    await desk.workFor(2000);
    expect((await desk.job(id)).status).toBe('completed');
  });
});
