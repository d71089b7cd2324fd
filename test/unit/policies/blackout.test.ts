import { describe, expect, it } from 'vitest';
import { blackoutAt } from '../../../src/core/policies/blackout.ts';
import type { BlackoutWindow } from '../../../src/core/policies/channel-settings.ts';

const night: BlackoutWindow = {
  days: ['fri'],
  from: '17:00',
  to: '09:00',
  timeZone: 'America/New_York',
  reason: 'nobody is in',
};
const lunch: BlackoutWindow = {
  days: ['mon', 'tue'],
  from: '12:00',
  to: '13:00',
  timeZone: 'Europe/Berlin',
  reason: 'lunch',
};
const once: BlackoutWindow = {
  since: '2026-12-24T00:00:00Z',
  until: '2026-12-27T00:00:00Z',
  reason: 'holidays',
};

const held = (window: BlackoutWindow, time: string) => blackoutAt([window], Date.parse(time));

describe('a blackout window', () => {
  it.each([
    // Friday 20 November 2026, 17:00 in New York is 22:00 UTC.
    ['a minute before it begins', '2026-11-20T21:59:59.999Z', false],
    ['as it begins', '2026-11-20T22:00:00Z', true],
    ['in the night', '2026-11-21T05:00:00Z', true],
    ['in its last minute', '2026-11-21T13:59:59Z', true],
    ['as it ends', '2026-11-21T14:00:00Z', false],
    ['the next evening, which is no day of it', '2026-11-21T23:00:00Z', false],
    ['in the morning of its day, of the night before', '2026-11-20T13:00:00Z', false],
  ])('over midnight: %s', (_, time, expected) => {
    expect(held(night, time)).toEqual(expected ? night : null);
  });

  it.each([
    ['winter: 12:00 is 11:00 UTC', '2026-01-05T11:00:00Z', true],
    ['winter: 13:00 is over', '2026-01-05T12:00:00Z', false],
    ['summer: 12:00 is 10:00 UTC', '2026-07-06T10:30:00Z', true],
    ['summer: an hour later', '2026-07-06T11:30:00Z', false],
    ['another day', '2026-07-08T10:30:00Z', false],
  ])('within a day, on the clocks of its zone: %s', (_, time, expected) => {
    expect(held(lunch, time)).toEqual(expected ? lunch : null);
  });

  it('from a time to a time', () => {
    expect(held(once, '2026-12-23T23:59:59.999Z')).toBeNull();
    expect(held(once, '2026-12-24T00:00:00Z')).toBe(once);
    expect(held(once, '2026-12-26T23:59:59.999Z')).toBe(once);
    expect(held(once, '2026-12-27T00:00:00Z')).toBeNull();
  });

  it('from a time to the same time is a day and a night; of Sunday night holds Monday morning', () => {
    const whole = { ...night, from: '09:00', to: '09:00' } as const;
    expect(held(whole, '2026-11-20T13:59:59Z')).toBeNull();
    expect(held(whole, '2026-11-20T14:00:00Z')).toBe(whole);
    expect(held(whole, '2026-11-21T13:59:59Z')).toBe(whole);
    expect(held(whole, '2026-11-21T14:00:00Z')).toBeNull();
    const sunday: BlackoutWindow = { ...night, days: ['sun'], timeZone: 'UTC' };
    expect(held(sunday, '2026-11-23T03:00:00Z')).toBe(sunday);
    expect(held(sunday, '2026-11-24T03:00:00Z')).toBeNull();
  });

  it('of several, the first that holds is told', () => {
    expect(blackoutAt([lunch, once], Date.parse('2026-12-25T12:00:00Z'))).toBe(once);
    expect(blackoutAt([], 0)).toBeNull();
  });
});
