import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRfc3339 } from '../../../src/core/values/rfc3339.ts';

describe('parseRfc3339', () => {
  // The examples of RFC 3339, section 5.8, and the edges of the calendar.
  const taken: Record<string, string> = {
    '1985-04-12T23:20:50.52Z': '1985-04-12T23:20:50.520Z',
    '1996-12-19T16:39:57-08:00': '1996-12-20T00:39:57.000Z',
    '1937-01-01T12:00:27.87+00:20': '1937-01-01T11:40:27.870Z',
    '1990-12-31T23:59:60Z': '1991-01-01T00:00:00.000Z',
    '1990-12-31T15:59:60-08:00': '1991-01-01T00:00:00.000Z',
    '1990-12-31T23:59:60.25Z': '1991-01-01T00:00:00.250Z',
    '2024-09-01t00:00:00z': '2024-09-01T00:00:00.000Z',
    '2024-02-29T00:00:00-00:00': '2024-02-29T00:00:00.000Z',
    '2024-01-01T00:00:00.9999999999999Z': '2024-01-01T00:00:00.999Z',
    '0000-01-01T00:00:00Z': '0000-01-01T00:00:00.000Z',
    '0099-12-31T23:59:59Z': '0099-12-31T23:59:59.000Z',
    '9999-12-31T23:59:59.999+23:59': '9999-12-31T00:00:59.999Z',
  };
  it.each(Object.entries(taken))('takes %s', (text, iso) => {
    expect(new Date(parseRfc3339(text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  const refused = [
    '',
    '2024',
    '2024-09-01',
    '2024-09-01T00:00Z',
    '2024-09-01T00:00:00',
    '2024-09-01 00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:60Z',
    '1990-12-31T23:59:60-08:00',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01T00:00:00+0000',
    '2024-01-01T00:00:00+00',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00Z\n',
    '24-01-01T00:00:00Z',
    '+002024-01-01T00:00:00Z',
    '٢٠٢٤-01-01T00:00:00Z',
    '2024-1-01T00:00:00Z',
    '2024-01-01T00:00:00ZZ',
    '2024-01-01T00:00:00,5Z',
    '-2024-01-01T00:00:00Z',
  ];
  it.each(refused)('refuses %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });

  const timeMs = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

  it('reads back what Date writes', () => {
    fc.assert(
      fc.property(timeMs, (ms) => {
        expect(parseRfc3339(new Date(ms).toISOString())).toBe(ms);
      }),
    );
  });

  it('reads back any zone, and agrees with Date', () => {
    const inside = fc.integer({ min: -62_000_000_000_000, max: 253_000_000_000_000 });
    fc.assert(
      fc.property(inside, fc.integer({ min: -1439, max: 1439 }), (ms, zone) => {
        const local = new Date(ms + zone * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60];
        const offset = [hours, minutes].map((part) => String(part).padStart(2, '0')).join(':');
        const text = `${local}${zone < 0 ? '-' : '+'}${offset}`;
        expect(parseRfc3339(text)).toBe(ms);
        expect(Date.parse(text)).toBe(ms);
      }),
    );
  });

  it('takes nothing that Date refuses', () => {
    const digits = fc.integer({ min: 0, max: 99 }).map((part) => String(part).padStart(2, '0'));
    fc.assert(
      fc.property(fc.tuple(digits, digits, digits, digits, digits, digits), (parts) => {
        const [year, month, day, hour, minute, second] = parts;
        const text = `20${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
        const ms = parseRfc3339(text);
        if (ms === undefined || second === '60') return;
        expect(new Date(ms).toISOString()).toBe(text.replace('Z', '.000Z'));
      }),
      { numRuns: 2000 },
    );
  });
});
