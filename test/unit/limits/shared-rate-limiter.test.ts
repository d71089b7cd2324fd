import { describe, expect, it } from 'vitest';
import { sharedRateLimiter } from '../../../src/adapters/runtime/shared-rate-limiter.ts';
import type { Rate } from '../../../src/core/limits/rate-limits.ts';
import { sharedLevelsKey } from '../../../src/core/limits/shared-levels.ts';
import type { RateLimiter } from '../../../src/ports/rate-limiter.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';

const rate = { perSecond: 100, burst: 200 };
const tenantOnly = { tenant: rate, client: null };
const stepMs = 50;

/** `count` processes on one store, which takes `latencyMs` for each of its two steps. */
function fleet(count: number, latencyMs = 0) {
  const clock = new ManualClock();
  const memory = memoryRecords(clock);
  const random = seeded(count);
  const calls = { get: 0, commit: 0 };
  /** The most conflicts that one process had in a row. */
  const conflicts = { inARow: 0 };
  const records = faultyRecords(memory, ({ method }) => {
    if (method === 'get' || method === 'commit') calls[method] += 1;
    return latencyMs === 0 ? 'none' : { before: () => clock.sleep(latencyMs) };
  });
  const limiters = Array.from({ length: count }, () => {
    let inARow = 0;
    const own = interceptMethods(records, { commit: true }, async (_, __, call) => {
      const result = await call();
      inARow = result === 'conflict' ? inARow + 1 : 0;
      conflicts.inARow = Math.max(conflicts.inARow, inARow);
      return result;
    });
    return sharedRateLimiter(coreDeps({ clock, records: own }), tenantOnly, { random });
  });
  return { clock, calls, conflicts, limiters };
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the adapter says it may be off. */
function bound(processes: number, { burst, perSecond }: Rate, conflictsInARow: number): number {
  const tellS = (1 + conflictsInARow) * (1.25 + stepMs / 1000);
  return (processes - 1) * (1.05 * burst + 2 * tellS * perSecond);
}

function passed(limiter: RateLimiter, calls: number): number {
  let sum = 0;
  while (sum < calls && limiter.take('demo', 'a') === null) sum += 1;
  return sum;
}

describe('SharedRateLimiter: how far off', () => {
  const even = (): number => 20;
  const skewed = (process: number): number => [60, 6, 1][process] ?? 1;
  const waves = (process: number, step: number): number =>
    Math.floor(step / 40) % 2 === process % 2 ? 50 : 0;
  const hungry = (): number => 1000;

  it.each([
    ['2 even', 2, even],
    ['8 even', 8, even],
    ['8 skewed', 8, skewed],
    ['20 skewed', 20, skewed],
    ['8 by turns', 8, waves],
    ['4 as fast as can be', 4, hungry],
  ])('%s: within the bound in any time', async (_name, count, load) => {
    const { clock, conflicts, limiters } = fleet(count, 20);
    // For each step, the most that any stretch up to it exceeds the rate by.
    let run = 0;
    let excess = 0;
    let sum = 0;
    const steps = 600;
    for (let step = 0; step < steps; step++) {
      for (const [process, limiter] of limiters.entries()) {
        const calls = passed(limiter, load(process, step));
        sum += calls;
        run += calls;
      }
      excess = Math.max(excess, run);
      run = Math.max(0, run - (rate.perSecond * stepMs) / 1000);
      await clock.advance(stepMs);
    }
    const off = bound(count, rate, conflicts.inARow);
    expect(excess).toBeLessThanOrEqual(rate.burst + off);
    // On average the limit holds.
    const allowed = rate.burst + (rate.perSecond * steps * stepMs) / 1000;
    expect(sum).toBeGreaterThan(0.95 * allowed);
    expect(sum).toBeLessThan(1.1 * allowed);
  });

  it('lets one of many have all of it: there are no shares', async () => {
    const { clock, limiters } = fleet(20);
    const [busy] = limiters;
    let sum = 0;
    for (let step = 0; step < 200; step++) {
      if (busy !== undefined) sum += passed(busy, 4);
      await clock.advance(stepMs);
    }
    expect(sum).toBe(800);
  });

  it('makes those pay back who were too many', async () => {
    const { clock, limiters } = fleet(5);
    for (const limiter of limiters) expect(passed(limiter, 1000)).toBe(200);
    for (let round = 0; round < 2; round++) {
      await clock.advance(1300);
      // One after the other, each tells what it has let through, and learns of those before it.
      for (const limiter of limiters) {
        passed(limiter, 1000);
        await clock.advance(10);
      }
    }
    const waits = limiters.map((limiter) => limiter.take('demo', 'a')?.waitMs ?? 0);
    expect(Math.max(...waits)).toBeGreaterThan(5000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_010);
    await clock.advance(31_000);
    for (const limiter of limiters) expect(limiter.take('demo', 'a')).toBeNull();
  });
});

describe('SharedRateLimiter: what it costs', () => {
  it('asks the store at most once a second, and not for a few calls', async () => {
    const { clock, calls, limiters } = fleet(1);
    const [limiter] = limiters;
    if (limiter === undefined) return;
    passed(limiter, 9);
    await clock.advance(60_000);
    expect(calls).toMatchObject({ get: 0, commit: 0 });
    for (let step = 0; step < 1000; step++) {
      passed(limiter, 5);
      await clock.advance(10);
    }
    expect(calls.get).toBeGreaterThanOrEqual(7);
    expect(calls.get).toBeLessThanOrEqual(10);
    expect(calls.commit).toBe(calls.get);
  });

  it('keeps one small record for a tenant, which goes when all is full again', async () => {
    const clock = new ManualClock();
    const deps = coreDeps({ clock });
    const limiter = sharedRateLimiter(deps, { tenant: rate, client: rate });
    for (let nth = 0; nth < 100; nth++) limiter.take('demo', `client-${nth}`);
    await clock.advance(1300);
    for (let nth = 0; nth < 100; nth++) limiter.take('demo', `client-${nth}`);
    await clock.advance(10);
    const stored = await deps.records.get(sharedLevelsKey('demo'));
    expect(JSON.stringify(stored?.value).length).toBeLessThan(1024);
    await clock.advance(65_000);
    expect(await deps.records.get(sharedLevelsKey('demo'))).toBeUndefined();
  });
});

describe('SharedRateLimiter: when the store fails', () => {
  function faulty(faults: Parameters<typeof faultyRecords>[1]) {
    const clock = new ManualClock();
    const memory = memoryRecords(clock);
    const deps = coreDeps({ clock, records: faultyRecords(memory, faults) });
    return { clock, memory, deps, limiter: sharedRateLimiter(deps, tenantOnly) };
  }

  it.each([
    ['no reads', { get: Array<'not-written'>(1000).fill('not-written') }],
    ['no writes', { commit: Array<'not-written'>(1000).fill('not-written') }],
    [
      'writes without an answer',
      { commit: Array<'written-but-failed'>(1000).fill('written-but-failed') },
    ],
    ['an answer that never comes', { get: [{ before: () => new Promise(() => undefined) }] }],
  ] as const)('%s: goes by its own buckets', async (_, faults) => {
    const { clock, limiter } = faulty(faults);
    expect(passed(limiter, 1000)).toBe(200);
    let sum = 0;
    for (let step = 0; step < 200; step++) {
      await clock.advance(stepMs);
      sum += passed(limiter, 100);
    }
    expect(sum).toBe(1000);
  });

  it('says so, and does not make up for it later', async () => {
    const { clock, deps, memory, limiter } = faulty({ commit: ['none', 'not-written'] });
    expect(passed(limiter, 190)).toBe(190);
    await clock.advance(1300);
    expect(passed(limiter, 1)).toBe(1);
    await clock.advance(1300);
    const { lines } = deps.log;
    expect(lines).toMatchObject([{ level: 'warn', msg: 'rate limit not shared', tenant: 'demo' }]);
    expect(passed(limiter, 30)).toBe(30);
    await clock.advance(0);
    const stored = await memory.get(sharedLevelsKey('demo'));
    expect(stored?.value).toMatchObject({ tenant: 200_000 });
  });

  it('tells again what came too late', async () => {
    const { clock, memory, limiter } = faulty({ commit: ['conflict', 'conflict'] });
    expect(passed(limiter, 200)).toBe(200);
    await clock.advance(0);
    expect(await memory.get(sharedLevelsKey('demo'))).toBeUndefined();
    await clock.advance(1250);
    expect(passed(limiter, 200)).toBe(125);
    await clock.advance(1250);
    expect(passed(limiter, 200)).toBe(125);
    await clock.advance(0);
    // All but what came after the third began: 200 + 125 + 1 in 2.5 s.
    const stored = await memory.get(sharedLevelsKey('demo'));
    expect(stored?.value).toMatchObject({ tenant: 200_000 - 326_000 + 250_000 });
  });
});
