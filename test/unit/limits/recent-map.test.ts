import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentMap } from '../../../src/core/limits/recent-map.ts';

describe('RecentMap', () => {
  it('holds no more than it may, and what was used while fewer than half were', () => {
    const keys = fc.array(fc.nat({ max: 30 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), keys, (max, used) => {
        const map = new RecentMap<{ readonly key: string }>(max);
        const half = Math.floor(max / 2);
        for (const [index, number] of used.entries()) {
          const key = String(number);
          const since = used.slice(used.lastIndexOf(number, index - 1) + 1, index);
          const isKept = index > 0 && used.lastIndexOf(number, index - 1) >= 0;
          const found = map.get(key);
          if (isKept && new Set(since).size < half) expect(found).toEqual({ key });
          if (found === undefined) map.set(key, { key });
          expect(map.get(key)).toEqual({ key });
          expect(map.size).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  it('forgets', () => {
    const map = new RecentMap<object>(4);
    for (const key of ['a', 'b', 'c', 'd', 'e']) map.set(key, {});
    expect(map.get('a')).toBeUndefined();
    expect(map.get('e')).toBeDefined();
  });
});
