import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { keepProbing, probeForAWhile } from '../../../src/core/registry/keep-probing.ts';
import type { CoreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import type { FakeAnswer } from '../../support/fake-probe.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { check, minuteMs, secondMs, ServiceDesk, startMs } from './service-desk.ts';

/** A desk whose time passes as the test says, and the prober of one process at it. */
class ProbingDesk extends ServiceDesk {
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(given: Partial<CoreDeps> = {}) {
    super({ clock: new ManualClock(), ...given });
  }

  async start(): Promise<void> {
    this.probe.made.length = 0;
    this.#running = keepProbing(this.deps, this.#stop.signal);
    await setImmediate();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** When a service was probed, in seconds since the test began. */
  timesOf(name: string): number[] {
    return this.probe.made
      .filter(({ url }) => url.startsWith(`https://${name}.`))
      .map(({ atMs }) => (atMs - startMs) / secondMs);
  }
}

/** The colours that metrics were told last. */
function coloursOf({ deps }: ServiceDesk): Record<string, number> {
  const seen = deps.metrics.told.flatMap((each) =>
    each[0] === 'servicesSeen' ? [[each[1], each[2]] as const] : [],
  );
  return Object.fromEntries(seen);
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, place) => time - (times[place] ?? 0));
}

describe('keeping at it', () => {
  it('probes each service in its own interval, spread, and a little at random', async () => {
    const desk = new ProbingDesk();
    const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
    for (const name of names) await desk.put(name, {}, name < 's2' ? 'other' : 'demo');
    await desk.put('slow', { health: { ...check, intervalS: 60 } });
    await desk.start();
    await desk.deps.clock.advance(5 * minuteMs);
    await desk.stop();
    for (const name of names) {
      const times = desk.timesOf(name);
      expect(times[0]).toBeLessThan(2);
      // Of the start, the moment is another one.
      const later = gaps(times.slice(1));
      expect(later.length).toBeGreaterThanOrEqual(28);
      expect(Math.min(...later)).toBeGreaterThanOrEqual(8.9);
      expect(Math.max(...later)).toBeLessThanOrEqual(11.1);
      expect(new Set(later).size).toBeGreaterThan(5);
    }
    expect(desk.timesOf('slow').length).toBeGreaterThanOrEqual(5);
    expect(desk.timesOf('slow').length).toBeLessThanOrEqual(6);
    const inASecond = new Map<number, number>();
    for (const { atMs } of desk.probe.made.filter((each) => each.atMs > startMs + minuteMs)) {
      const second = Math.floor(atMs / secondMs);
      inASecond.set(second, (inASecond.get(second) ?? 0) + 1);
    }
    // Of 40 in 10 s: all together they would be 40.
    expect(Math.max(...inASecond.values())).toBeLessThan(20);
  });

  it('sleeps until there is something to do', async () => {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const desk = new ProbingDesk({ clock, records });
    await desk.put('maya');
    await desk.start();
    await clock.advance(minuteMs);
    reset();
    await clock.advance(10 * minuteMs);
    // The list every 2 s, the service every 10 s, and its record every minute.
    expect(calls.query).toBe(300);
    expect(calls.getMany).toBeGreaterThanOrEqual(55);
    expect(calls.getMany).toBeLessThanOrEqual(65);
    expect(calls.commit).toBeGreaterThanOrEqual(8);
    expect(calls.commit).toBeLessThanOrEqual(10);
    expect(clock.sleeping).toBe(1);
    await desk.stop();
    expect(clock.sleeping).toBe(0);
  });

  it('finds services that come, go, and change, within seconds', async () => {
    const desk = new ProbingDesk();
    await desk.start();
    await desk.put('maya');
    desk.probe.made.length = 0;
    await desk.deps.clock.advance(2 * secondMs);
    expect(desk.timesOf('maya')).toHaveLength(1);
    await desk.put('maya', { health: { ...check, intervalS: 5 } });
    await desk.deps.clock.advance(2 * minuteMs);
    const times = desk.timesOf('maya');
    expect(times.length).toBeGreaterThanOrEqual(23);
    await desk.remove('maya');
    await desk.deps.clock.advance(2 * secondMs);
    const probed = desk.timesOf('maya').length;
    await desk.deps.clock.advance(minuteMs);
    expect(desk.timesOf('maya')).toHaveLength(probed);
    await desk.stop();
  });

  it('looks closer while it is not settled whether a target is up', async () => {
    const desk = new ProbingDesk();
    await desk.put('maya', { health: { ...check, intervalS: 300, fall: 3, rise: 3 } });
    await desk.start();
    await desk.deps.clock.advance(2 * secondMs);
    desk.probe.answer = () => 503;
    await desk.deps.clock.advance(302 * secondMs);
    await desk.deps.clock.advance(33 * secondMs);
    const before = await desk.read('maya');
    expect(before.health.status).toBe('red');
    const [one, two, three] = desk.timesOf('maya').slice(1);
    expect(gaps([one ?? 0, two ?? 0, three ?? 0])).toEqual([2, 2]);
    expect(before.health.sinceMs).toBe(startMs + (three ?? 0) * secondMs);
    await desk.stop();
  });

  it('gives a service that starts while it is registered its traffic within 2 s', async () => {
    const desk = new ProbingDesk();
    await desk.start();
    desk.probe.answer = () => 'refused';
    await desk.put('maya', { health: { ...check, intervalS: 300 } });
    await desk.deps.clock.advance(7 * secondMs);
    expect((await desk.read('maya')).health.status).toBe('red');
    desk.probe.answer = () => 200;
    await desk.deps.clock.advance(2 * secondMs);
    expect((await desk.read('maya')).health.status).toBe('green');
    await desk.stop();
  });

  it('stops looking so close at one that never comes', async () => {
    const desk = new ProbingDesk();
    await desk.start();
    desk.probe.answer = () => 'refused';
    await desk.put('maya', { health: { ...check, intervalS: 300 } });
    await desk.deps.clock.advance(2 * minuteMs);
    const probed = desk.probe.made.length;
    expect(probed).toBeGreaterThan(28);
    expect(probed).toBeLessThan(33);
    await desk.stop();
  });

  it('does not let the hanging services of one tenant keep those of another', async () => {
    const desk = new ProbingDesk();
    for (let i = 0; i < 60; i++) await desk.put(`bad${i}`, { health: { ...check, intervalS: 5 } });
    await desk.put('good', { health: { ...check, intervalS: 5 } }, 'other');
    desk.probe.answer = (url) => (url.includes('bad') ? 'hangs' : 200);
    await desk.start();
    await desk.deps.clock.advance(2 * minuteMs);
    const good = desk.timesOf('good');
    expect(good.length).toBeGreaterThanOrEqual(23);
    expect(Math.max(...gaps(good))).toBeLessThanOrEqual(5.6);
    // 8 at a time, for 2 s each: every one of them gets its turn.
    for (let i = 0; i < 60; i++) expect(desk.timesOf(`bad${i}`).length).toBeGreaterThan(4);
    await desk.stop();
  });

  it('goes on when the store does not answer', async () => {
    const clock = new ManualClock();
    let isDown = false;
    const records = faultyRecords(memoryRecords(clock), () => (isDown ? 'not-written' : 'none'));
    const desk = new ProbingDesk({ clock, records });
    await desk.put('maya');
    await desk.start();
    await clock.advance(30 * secondMs);
    isDown = true;
    await clock.advance(30 * secondMs);
    expect(new Set(desk.deps.log.lines.map(({ msg }) => msg))).toEqual(
      new Set(['services to probe not read', 'probe not recorded']),
    );
    isDown = false;
    desk.probe.answer = () => 503;
    await clock.advance(20 * secondMs);
    expect((await desk.read('maya')).health.status).toBe('red');
    await desk.stop();
  });

  it('tells how many services are of each colour, of all tenants', async () => {
    const desk = new ProbingDesk();
    await desk.start();
    expect(coloursOf(desk)).toEqual({ green: 0, yellow: 0, red: 0 });
    await desk.put('maya');
    await desk.put('ravi', {}, 'other');
    await desk.put('two', { replicas: ['https://three.example'] });
    await desk.deps.clock.advance(10 * secondMs);
    expect(coloursOf(desk)).toEqual({ green: 3, yellow: 0, red: 0 });
    desk.probe.answer = (url) => (url.includes('maya') || url.includes('three') ? 503 : 200);
    await desk.deps.clock.advance(20 * secondMs);
    expect(coloursOf(desk)).toEqual({ green: 1, yellow: 1, red: 1 });
    await desk.remove('maya');
    await desk.deps.clock.advance(4 * secondMs);
    expect(coloursOf(desk)).toEqual({ green: 1, yellow: 1, red: 0 });
    await desk.stop();
  });

  it('ends at once, and records nothing more, when it is told to stop', async () => {
    const desk = new ProbingDesk();
    await desk.put('maya');
    desk.probe.answer = () => 'hangs';
    await desk.start();
    await desk.deps.clock.advance(1900);
    expect(desk.probe.made).toHaveLength(1);
    await desk.stop();
    expect((await desk.read('maya')).health.status).toBe('green');
    expect(desk.deps.clock.sleeping).toBe(0);
  });
});

describe('for a while, once a minute', () => {
  /** A function that is started each minute, and goes on for a little longer. */
  async function minutes(desk: ServiceDesk, count: number): Promise<void> {
    const clock = desk.deps.clock;
    const running: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      running.push(probeForAWhile(desk.deps, 63 * secondMs));
      await clock.advance(minuteMs);
    }
    await clock.advance(20 * secondMs);
    await Promise.all(running);
  }

  const desk = (): ProbingDesk => new ProbingDesk();

  it('probes each service as often as its interval says', async () => {
    const here = desk();
    const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
    for (const name of names) await here.put(name);
    await here.put('rare', { health: { ...check, intervalS: 240 } });
    here.probe.made.length = 0;
    await minutes(here, 12);
    for (const name of names) {
      const times = here.timesOf(name);
      // Where two overlap, some are probed twice.
      expect(times.length).toBeGreaterThanOrEqual(71);
      expect(times.length).toBeLessThanOrEqual(72 + 13);
      expect(Math.max(...gaps(times))).toBeLessThanOrEqual(11.1);
    }
    const rare = here.timesOf('rare');
    expect(rare.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...gaps(rare))).toBeLessThanOrEqual(264);
  });

  it('takes a service that fails out within its interval and 2 s', async () => {
    const here = desk();
    await here.put('maya');
    const running = probeForAWhile(here.deps, minuteMs);
    await here.deps.clock.advance(15 * secondMs);
    here.probe.answer = () => 503;
    await here.deps.clock.advance(13.1 * secondMs);
    expect((await here.read('maya')).health.status).toBe('red');
    await here.deps.clock.advance(minuteMs);
    await running;
  });

  it('is over in time, also with services that hang', async () => {
    const here = desk();
    await here.put('maya', { health: { ...check, timeoutMs: 9000 } });
    here.probe.answer = (): FakeAnswer => 'hangs';
    let isOver = false;
    const running = probeForAWhile(here.deps, minuteMs).finally(() => {
      isOver = true;
    });
    await here.deps.clock.advance(minuteMs - 1);
    expect(isOver).toBe(false);
    await here.deps.clock.advance(10 * secondMs);
    expect(isOver).toBe(true);
    await running;
    expect(here.deps.clock.sleeping).toBe(0);
  });

  it('is over at once with nothing to do', async () => {
    const here = desk();
    await probeForAWhile(here.deps, minuteMs);
    await here.put('maya', { health: { ...check, intervalS: 300 } });
    here.probe.made.length = 0;
    const waited: boolean[] = [];
    for (let minute = 0; minute < 5; minute++) {
      let isOver = false;
      const running = probeForAWhile(here.deps, minuteMs).finally(() => {
        isOver = true;
      });
      await setImmediate();
      waited.push(!isOver);
      await here.deps.clock.advance(minuteMs);
      await running;
    }
    // Only in the minute that has the moment of the service.
    expect(waited.filter(Boolean)).toHaveLength(1);
    expect(here.probe.made).toHaveLength(1);
  });

  it('tells once how all services are, also those that it did not probe', async () => {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const here = new ProbingDesk({ clock, records });
    await here.put('often');
    const rare = { ...check, intervalS: 300 };
    for (let i = 0; i < 120; i++) await here.put(`rare${i}`, { health: rare }, `tenant${i}`);
    here.probe.answer = (url) => (url.includes('none') ? 'refused' : 200);
    await here.put('none', { health: rare });
    await here.deps.clock.advance(2 * minuteMs);
    here.probe.made.length = 0;
    reset();
    const running = probeForAWhile(here.deps, 2 * secondMs);
    await here.deps.clock.advance(3 * secondMs);
    await running;
    expect(here.deps.metrics.told.map(([name]) => name)).toEqual(Array(3).fill('servicesSeen'));
    expect(coloursOf(here)).toEqual({ green: 121, yellow: 0, red: 1 });
    // Each probe is one, and so is each hundred of the rest.
    expect(calls.getMany).toBe(here.probe.made.length + 2);
  });

  it('tells nothing of what it cannot read', async () => {
    const clock = new ManualClock();
    const down = new Set<string>();
    const records = faultyRecords(memoryRecords(clock), ({ method }) =>
      down.has(method) ? 'not-written' : 'none',
    );
    const here = new ProbingDesk({ clock, records });
    await here.put('maya', { health: { ...check, intervalS: 300 } });
    for (const method of ['getMany', 'query'] as const) {
      down.add(method);
      const running = probeForAWhile(here.deps, secondMs);
      await clock.advance(2 * secondMs);
      await running;
    }
    expect(here.deps.metrics.told).toEqual([]);
  });

  it('tries again when it cannot read what there is to probe', async () => {
    const clock = new ManualClock();
    const records = faultyRecords(memoryRecords(clock), {
      query: ['not-written', 'not-written'],
    });
    const here = new ProbingDesk({ clock, records });
    await here.put('maya');
    here.probe.made.length = 0;
    const running = probeForAWhile(here.deps, minuteMs);
    await clock.advance(minuteMs);
    await running;
    expect(here.deps.log.lines).toHaveLength(2);
    expect(here.timesOf('maya').length).toBeGreaterThanOrEqual(5);
  });
});
