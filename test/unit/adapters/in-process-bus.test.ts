import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inProcessBus } from '../../../src/adapters/local/in-process-bus.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { BusEvent } from '../../../src/ports/event-bus.ts';

const event = (id: string, type = 'policy.updated'): BusEvent => ({
  specversion: '1.0',
  id,
  source: '/test',
  type,
  subject: 's',
  time: '2024-06-10T18:30:00Z',
  datacontenttype: 'application/json',
  data: null,
});

describe('inProcessBus', () => {
  it('gives each subscriber the types that it asked for', async () => {
    const bus = inProcessBus();
    const seen: string[] = [];
    bus.subscribe(['a'], ({ id }) => void seen.push(`a:${id}`));
    bus.subscribe(['a', 'b'], ({ id }) => void seen.push(`ab:${id}`));
    bus.subscribe([], ({ id }) => void seen.push(`none:${id}`));
    bus.subscribe('*', ({ id }) => void seen.push(`all:${id}`));
    await bus.publish([event('1', 'a'), event('2', 'b'), event('3', 'toString')]);
    expect(seen).toEqual(['a:1', 'ab:1', 'ab:2', 'all:1', 'all:2', 'all:3']);
  });

  it('waits for each subscriber before the next, and for all before it resolves', async () => {
    const bus = inProcessBus();
    const seen: string[] = [];
    for (const name of ['first', 'second']) {
      bus.subscribe('*', async ({ id }) => {
        seen.push(`${name} begins ${id}`);
        await setTimeout(1);
        seen.push(`${name} ends ${id}`);
      });
    }
    await bus.publish([event('1'), event('2')]);
    expect(seen).toEqual(
      ['first', 'second'].flatMap((name) =>
        ['1', '2'].flatMap((id) => [`${name} begins ${id}`, `${name} ends ${id}`]),
      ),
    );
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('gives the others everything when one %s, then throws', async (_, fail) => {
    const bus = inProcessBus();
    const [before, failing, after]: [string[], string[], string[]] = [[], [], []];
    bus.subscribe('*', ({ id }) => void before.push(id));
    bus.subscribe('*', ({ id }) => {
      failing.push(id);
      return id === '2' ? fail() : undefined;
    });
    bus.subscribe('*', ({ id }) => void after.push(id));
    const published = bus.publish([event('1'), event('2'), event('3')]);
    await expect(published).rejects.toBeInstanceOf(Unavailable);
    await expect(published).rejects.toMatchObject({ cause: { errors: [{ message: 'broken' }] } });
    expect(before).toEqual(['1', '2', '3']);
    expect(after).toEqual(['1', '2', '3']);
    // Not the third before the second, which it gets again with the repeat.
    expect(failing).toEqual(['1', '2']);
  });

  it('gives no event after unsubscribing, also in the middle of a call', async () => {
    const bus = inProcessBus();
    const seen: string[] = [];
    const stop = bus.subscribe('*', ({ id }) => {
      seen.push(id);
      stop();
    });
    await bus.publish([event('1'), event('2')]);
    await bus.publish([event('3')]);
    stop();
    expect(seen).toEqual(['1']);
  });

  it('gives a new subscriber only later calls', async () => {
    const bus = inProcessBus();
    const seen: string[] = [];
    bus.subscribe('*', () => void bus.subscribe('*', ({ id }) => void seen.push(id)));
    await bus.publish([event('1')]);
    expect(seen).toEqual([]);
    await bus.publish([event('2')]);
    expect(seen).toEqual(['2']);
  });

  it('lets a subscriber publish', async () => {
    const bus = inProcessBus();
    const seen: string[] = [];
    bus.subscribe('*', ({ id }) => void seen.push(id));
    bus.subscribe(['policy.updated'], () => bus.publish([event('2', 'case.opened')]));
    await bus.publish([event('1')]);
    expect(seen).toEqual(['1', '2']);
  });

  it('takes one handler twice as two subscribers', async () => {
    const bus = inProcessBus();
    const seen: string[] = [];
    const handler = ({ id }: BusEvent): void => void seen.push(id);
    const stop = bus.subscribe('*', handler);
    bus.subscribe('*', handler);
    await bus.publish([event('1')]);
    stop();
    await bus.publish([event('2')]);
    expect(seen).toEqual(['1', '1', '2']);
  });
});
