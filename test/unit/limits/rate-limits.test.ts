import { describe, expect, it } from 'vitest';
import { rateFrom } from '../../../src/core/limits/rate-limits.ts';

const fallback = { perSecond: 5, burst: 10 };

describe('the setting of a rate', () => {
  it.each([
    ['500:1000', { perSecond: 500, burst: 1000 }],
    ['1:1', { perSecond: 1, burst: 1 }],
    ['1000000:10000000', { perSecond: 1_000_000, burst: 10_000_000 }],
    ['off', null],
    ['', fallback],
    [undefined, fallback],
  ])('%s', (text, rate) => {
    expect(rateFrom('HMS_RATE_LIMIT_CLIENT', text, fallback)).toEqual(rate);
  });

  it.each([
    '500',
    '500:',
    ':1',
    '0:5',
    '500:499',
    '1.5:3',
    '-1:5',
    '1e3:2000',
    ' 1:2',
    '1:2:3',
    'OFF',
  ])('is not %s', (text) => {
    expect(() => rateFrom('HMS_RATE_LIMIT_CLIENT', text, fallback)).toThrow(
      /^HMS_RATE_LIMIT_CLIENT is ".+": give <calls per second>:<burst>/,
    );
  });

  it.each(['1000001:1000001', '5:10000001'])('is not %s: too much', (text) => {
    expect(() => rateFrom('X', text, fallback)).toThrow(/^X is/);
  });
});
