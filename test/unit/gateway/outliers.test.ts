import { describe, expect, it } from 'vitest';
import { FailureWindow } from '../../../src/core/gateway/failure-window.ts';
import { Ejection, ejectOutlier } from '../../../src/core/gateway/outliers.ts';

const replicas = (count: number) =>
  Array.from({ length: count }, () => ({ calls: new FailureWindow(), ejection: new Ejection() }));

describe('ejectOutlier', () => {
  it('ejects what fails three times in a row, for longer each time', () => {
    const all = replicas(2);
    const [bad] = all;
    let nowMs = 1_000_000;
    bad!.calls.fail(nowMs);
    bad!.calls.fail(nowMs);
    expect(ejectOutlier(bad!, all, nowMs)).toBeNull();
    const times: (number | null)[] = [];
    for (let round = 0; round < 7; round++) {
      bad!.calls.fail(nowMs);
      const forMs = ejectOutlier(bad!, all, nowMs);
      times.push(forMs);
      expect(bad!.ejection.isOn(nowMs + forMs! - 1)).toBe(true);
      expect(ejectOutlier(bad!, all, nowMs)).toBeNull();
      nowMs += forMs!;
      expect(bad!.ejection.isOn(nowMs)).toBe(false);
    }
    expect(times).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]);
    bad!.calls.fail(nowMs + 300_001);
    expect(ejectOutlier(bad!, all, nowMs + 300_001)).toBe(5000);
  });

  it('ejects what fails half of the time', () => {
    const all = replicas(3);
    const [bad] = all;
    for (let call = 0; call < 5; call++) {
      expect(ejectOutlier(bad!, all, 1000)).toBeNull();
      bad!.calls.succeed(1000);
      bad!.calls.fail(1000);
    }
    expect(ejectOutlier(bad!, all, 1000)).toBe(5000);
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ])('of %i replicas that all fail, ejects %i', (count, ejected) => {
    const all = replicas(count);
    for (const each of all) {
      for (let call = 0; call < 20; call++) each.calls.fail(1000);
      ejectOutlier(each, all, 1000);
    }
    expect(all.filter(({ ejection }) => ejection.isOn(1000))).toHaveLength(ejected);
  });

  it('ends with a clock that steps back', () => {
    const ejection = new Ejection();
    ejection.begin(10_000_000);
    expect(ejection.isOn(1_000_000)).toBe(false);
  });
});
