import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  expiryOf,
  levelsAfter,
  maxDebtS,
  type SharedLevels,
} from '../../../src/core/limits/shared-levels.ts';

const limits = { tenant: { perSecond: 100, burst: 200 }, client: { perSecond: 10, burst: 20 } };
const nowMs = 1_000_000;
const use = (byClient: Readonly<Record<string, number>>, sinceMs = nowMs) => ({
  sinceMs,
  calls: Object.values(byClient).reduce((sum, calls) => sum + calls, 0),
  byClient: new Map(Object.entries(byClient)),
});

describe('levels that all processes share', () => {
  it('begin full, and are emptied by use and filled by time', () => {
    const first = levelsAfter(undefined, use({ a: 15, b: 1 }), limits, nowMs);
    expect(first).toEqual({
      atMs: nowMs,
      tenant: 184_000,
      clients: [
        ['a', 5000],
        ['b', 19_000],
      ],
    });
    const second = levelsAfter(first, use({ a: 7 }, nowMs + 100), limits, nowMs + 100);
    expect(second).toEqual({ atMs: nowMs + 100, tenant: 187_000, clients: [['a', -1000]] });
    expect(expiryOf(second, limits)).toBe(nowMs + 100 + 2100 + 60_000);
  });

  it('are filled by the time in which the use went untold', () => {
    const first = levelsAfter(undefined, use({ a: 15 }, nowMs - 1000), limits, nowMs);
    expect(first).toEqual({ atMs: nowMs, tenant: 200_000, clients: [['a', 15_000]] });
    // Full since 500 ms; then, in the last 100 ms, 50 calls.
    const second = levelsAfter(first, use({ a: 50 }, nowMs + 900), limits, nowMs + 1000);
    expect(second).toEqual({ atMs: nowMs + 1000, tenant: 160_000, clients: [['a', -29_000]] });
  });

  it('owe no more than some seconds', () => {
    const { tenant, clients } = levelsAfter(undefined, use({ a: 1e9 }), limits, nowMs);
    expect(tenant).toBe(-maxDebtS * 100_000);
    expect(clients).toEqual([['a', -maxDebtS * 10_000]]);
  });

  it('keep to the clients with least left, whatever they are called', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`c${i}`, (i % 50) + 1]));
    const { clients } = levelsAfter(undefined, use({ ...many, constructor: 90 }), limits, nowMs);
    expect(clients).toHaveLength(32);
    expect(clients[0]).toEqual(['constructor', -70_000]);
    expect(JSON.stringify(clients).length).toBeLessThan(32 * 40);
  });

  it('are neither filled by a clock that is behind, nor stopped by one far ahead', () => {
    const stored: SharedLevels = { atMs: nowMs, tenant: 50_000, clients: [] };
    const behind = levelsAfter(stored, use({}), limits, nowMs - 3000);
    expect(behind).toMatchObject({ atMs: nowMs, tenant: 50_000 });
    const after = levelsAfter(stored, use({}), limits, nowMs - 60_000);
    expect(after).toMatchObject({ atMs: nowMs - 60_000, tenant: 50_000 });
  });

  it('leave out what is not limited', () => {
    const off = levelsAfter(undefined, use({ a: 5 }), { tenant: null, client: null }, nowMs);
    expect(off).toEqual({ atMs: nowMs, tenant: null, clients: [] });
    expect(expiryOf(off, { tenant: null, client: null })).toBe(nowMs + 60_000);
  });

  it('do not depend on how use is cut up in one moment', () => {
    const counts = fc.array(fc.nat({ max: 20 }), { maxLength: 20 });
    fc.assert(
      fc.property(counts, (parts) => {
        const all = parts.reduce((sum, calls) => sum + calls, 0);
        const whole = levelsAfter(undefined, use({ a: all }), limits, nowMs);
        const cut = parts.reduce(
          (levels, calls) => levelsAfter(levels, use({ a: calls }), limits, nowMs),
          levelsAfter(undefined, use({}), limits, nowMs),
        );
        expect(cut).toEqual(whole);
      }),
    );
  });
});
