import { describe, expect, it } from 'vitest';
import {
  countLanes,
  hold,
  holdersOf,
  letGo,
  noLanes,
  queueUp,
  waitersOf,
} from '../../../src/core/rollouts/run-lanes.ts';

describe('the lanes of runs', () => {
  const held = hold(noLanes, 1, ['a', 'b']);

  it('have one holder each', () => {
    expect(holdersOf(held, ['a', 'b', 'c'])).toEqual([1]);
    expect(holdersOf(hold(held, 2, ['c']), ['a', 'c'])).toEqual([1, 2]);
    expect(holdersOf(held, ['c'])).toEqual([]);
  });

  it('have one that waits, the newest', () => {
    const two = queueUp(queueUp(held, 2, ['a']), 3, ['a', 'c']);
    expect(waitersOf(two, ['a', 'b', 'c'])).toEqual([3]);
    expect(two.holders).toEqual(held.holders);
  });

  it('are let go all at once', () => {
    const two = queueUp(held, 2, ['a']);
    expect(letGo(two, 1)).toEqual({ holders: {}, waiting: { a: 2 } });
    expect(letGo(two, 2)).toEqual(held);
  });

  it('are taken from who waited for them', () => {
    const waits = queueUp(noLanes, 2, ['a', 'b']);
    expect(hold(waits, 3, ['a'])).toEqual({ holders: { a: 3 }, waiting: { b: 2 } });
    expect(hold(waits, 2, ['a', 'b'])).toEqual({ holders: { a: 2, b: 2 }, waiting: {} });
  });

  it('are counted once', () => {
    expect(countLanes(queueUp(held, 2, ['a', 'c']))).toBe(3);
  });
});
