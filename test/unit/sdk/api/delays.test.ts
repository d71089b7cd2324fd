import { expect, it } from 'vitest';
import { backOffMs, retryDelayMs } from '../../../../sdk/src/api/delays.ts';
import { NoAnswerError, ProblemError } from '../../../../sdk/src/api/errors.ts';

const problem = {
  type: 'urn:hms:problem:unavailable',
  title: 'The service is not available',
  status: 503,
  code: 'unavailable',
  detail: 'Come back.',
  requestId: 'r-1',
};
const many = Array.from({ length: 200 });

it('comes back after the time that was asked for, and not all at that moment', () => {
  const error = new ProblemError(problem, 2000);
  const delays = many.map(() => retryDelayMs(error, 1, 1000));
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(2500);
  expect(Math.max(...delays)).toBeLessThan(3000);
  expect(new Set(delays).size).toBeGreaterThan(100);
});

it('waits no longer than five minutes and a back-off, whatever is asked: no timer overflows', () => {
  const error = new ProblemError(problem, 999_999_999_000);
  for (const _ of many) expect(retryDelayMs(error, 9, 1000)).toBeLessThanOrEqual(330_000);
});

it('backs off by itself when nothing is asked', () => {
  const error = new NoAnswerError('No answer.');
  for (const tries of [1, 2, 3, 60]) {
    const most = Math.min(1000 * 2 ** (tries - 1), 30_000);
    for (const delay of [retryDelayMs(error, tries, 1000), backOffMs(tries, 1000)]) {
      expect(delay).toBeGreaterThanOrEqual(most / 2);
      expect(delay).toBeLessThanOrEqual(most);
    }
  }
});
