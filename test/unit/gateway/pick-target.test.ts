import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, pickTarget } from '../../../src/core/gateway/pick-target.ts';

const primary = (url: string, change: Partial<Candidate> = {}): Candidate => ({
  url,
  role: 'primary',
  isUp: true,
  circuit: 'closed',
  isEjected: false,
  inFlight: 0,
  ...change,
});
const secondary = (change: Partial<Candidate> = {}) =>
  primary('secondary', { role: 'secondary', ...change });
const none: ReadonlySet<string> = new Set();
const picked = (candidates: readonly Candidate[], tried = none) =>
  pickTarget(candidates, tried)?.url;

describe('pickTarget', () => {
  it('takes the less busy of two, whichever come first', () => {
    const busy = [3, 1, 2].map((inFlight, i) => primary(`${i}`, { inFlight }));
    // The first number picks one, the second one of the others.
    const at = (...numbers: number[]) => pickTarget(busy, none, () => numbers.shift() ?? 0)?.url;
    expect(at(0, 0)).toBe('1');
    expect(at(0, 0.99)).toBe('2');
    expect(at(0.5, 0)).toBe('1');
    expect(at(0.99, 0)).toBe('2');
    expect(at(0.99, 0.99)).toBe('1');
  });

  it('spreads calls evenly, and keeps most of them from a slow one', () => {
    const counts = new Map<string, number>();
    const targets = ['a', 'b', 'c', 'd'].map((url) => primary(url));
    for (let i = 0; i < 4000; i++) {
      const target = pickTarget(targets, none)!;
      counts.set(target.url, (counts.get(target.url) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(850);
    const withSlow = [primary('slow', { inFlight: 10 }), ...targets];
    const found = Array.from({ length: 1000 }, () => picked(withSlow));
    expect(found).not.toContain('slow');
  });

  it('goes to the secondary only when no primary target qualifies, and comes back', () => {
    const both = (change: Partial<Candidate>) => [primary('primary', change), secondary()];
    expect(picked(both({}))).toBe('primary');
    expect(picked(both({ inFlight: 100 }))).toBe('primary');
    expect(picked(both({ circuit: 'probe' }))).toBe('primary');
    for (const change of [{ isUp: false }, { circuit: 'open' }, { isEjected: true }] as const) {
      expect(picked(both(change)), JSON.stringify(change)).toBe('secondary');
    }
  });

  it('goes to what is ejected when there is nothing else, and nowhere when nothing is well', () => {
    expect(picked([primary('a', { isEjected: true })])).toBe('a');
    expect(picked([primary('a', { isUp: false }), secondary({ circuit: 'open' })])).toBeUndefined();
    expect(picked([])).toBeUndefined();
  });

  it('goes elsewhere with what was tried in vain, if it can', () => {
    const targets = [primary('a'), primary('b'), secondary()];
    expect(picked(targets, new Set(['a']))).toBe('b');
    expect(picked(targets, new Set(['a', 'b']))).toBe('secondary');
    expect(['a', 'b']).toContain(picked(targets, new Set(['a', 'b', 'secondary'])));
  });

  it('never picks what is down or open, and always something when there is something', () => {
    const candidate = fc.record({
      url: fc.constantFrom('a', 'b', 'c', 'd'),
      role: fc.constantFrom('primary' as const, 'secondary' as const),
      isUp: fc.boolean(),
      circuit: fc.constantFrom('closed' as const, 'open' as const, 'probe' as const),
      isEjected: fc.boolean(),
      inFlight: fc.nat(5),
    });
    const tried = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd')).map((urls) => new Set(urls));
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 6 }), tried, (candidates, urls) => {
        const usable = candidates.filter(({ isUp, circuit }) => isUp && circuit !== 'open');
        const found = pickTarget(candidates, urls);
        if (found === undefined) expect(usable).toEqual([]);
        else expect(usable).toContain(found);
      }),
    );
  });
});
