import { expect, it } from 'vitest';
import { deadlineMs, nextAttemptMs } from '../../../src/core/partners/schedule.ts';
import { hourMs, minuteMs, scheduleMs, secondMs } from './partner-desk.ts';

it('is the one of ROLLOUTS.md, point 14', () => {
  expect(scheduleMs).toEqual([
    0,
    5 * secondMs,
    5 * minuteMs + 5 * secondMs,
    35 * minuteMs + 5 * secondMs,
    2 * hourMs + 35 * minuteMs + 5 * secondMs,
    7 * hourMs + 35 * minuteMs + 5 * secondMs,
    15 * hourMs + 35 * minuteMs + 5 * secondMs,
    23 * hourMs + 35 * minuteMs + 5 * secondMs,
  ]);
  expect(deadlineMs).toBe(24 * hourMs);
  for (let tries = 1; tries < 8; tries++) {
    expect(nextAttemptMs(tries, scheduleMs[tries - 1]!, deadlineMs)).toBe(scheduleMs[tries]);
  }
  expect(nextAttemptMs(8, scheduleMs[7]!, deadlineMs)).toBeNull();
});

it('plans nothing beyond the deadline', () => {
  expect(nextAttemptMs(7, 16 * hourMs, 24 * hourMs)).toBe(24 * hourMs);
  expect(nextAttemptMs(7, 16 * hourMs + 1, 24 * hourMs)).toBeNull();
});
