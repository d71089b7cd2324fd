import { describe, expect, it } from 'vitest';
import { jsonLog, type LogLevel } from '../../../src/adapters/runtime/json-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function make(level?: LogLevel) {
  const lines: string[] = [];
  const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  const write = (line: string): void => void lines.push(line);
  return { lines, log: jsonLog({ write, clock, ...(level === undefined ? {} : { level }) }) };
}

describe('jsonLog', () => {
  it('writes level, time and msg first', () => {
    const { lines, log } = make();
    log.info('started', { port: 8080 });
    expect(lines).toEqual([
      '{"level":"info","time":"2026-01-02T03:04:05.006Z","msg":"started","port":8080}\n',
    ]);
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    [undefined, 3],
    ['warn', 2],
    ['error', 1],
  ] as const)('with level %s writes %i of 4 levels', (level, count) => {
    const { lines, log } = make(level);
    for (const one of [log, log.with({ a: 1 })]) {
      one.debug('d');
      one.info('i');
      one.warn('w');
      one.error('e');
    }
    expect(lines).toHaveLength(2 * count);
  });

  it('cuts text over 8 KB and says how long it was', () => {
    const { lines, log } = make();
    log.info('x'.repeat(9000), { fits: 'y'.repeat(8192), long: 'z'.repeat(8193) });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      msg: `${'x'.repeat(8192)}… [9000 characters]`,
      fits: 'y'.repeat(8192),
      long: `${'z'.repeat(8192)}… [8193 characters]`,
    });
  });

  it('bounds a line of many long values', () => {
    const { lines, log } = make();
    const many = Array.from({ length: 50 }, (_, i) => [`f${i}`, ['v'.repeat(5000)]]);
    log.info('big', Object.fromEntries(many));
    expect(lines[0]?.length).toBeLessThan(90_000);
    expect(lines[0]).toContain('[omitted]');
  });

  it('keeps a field that is named as its own', () => {
    const { lines, log } = make();
    log.info('true', { level: 'l', time: 't', msg: 'm' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      msg: 'true',
      field_level: 'l',
      field_time: 't',
      field_msg: 'm',
    });
  });

  it('takes the fields of with as they were', () => {
    const { lines, log } = make();
    const fields = { request: { id: 'r1' } };
    const inner = log.with(fields);
    fields.request.id = 'r2';
    inner.info('x');
    expect(lines[0]).toContain('"id":"r1"');
  });

  it('says what it left out', () => {
    const { lines, log } = make();
    const ring: { self?: unknown } = {};
    ring.self = ring;
    const twice = { a: 1 };
    log.info('x', {
      ring,
      deep: { b: { c: { d: { e: { f: { g: 1 } } } } } },
      list: Array.from({ length: 101 }, () => 0),
      bytes: new Uint8Array(12),
      apart: [twice, twice],
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ring: { self: '[circular]' },
      deep: { b: { c: { d: { e: { f: '[too deep]' } } } } },
      list: [...Array.from({ length: 100 }, () => 0), '[and more]'],
      bytes: '[12 bytes]',
      apart: [{ a: 1 }, { a: 1 }],
    });
  });

  it('leaves a field out that is undefined', () => {
    const { lines, log } = make();
    log.info('x', { none: undefined });
    expect(lines[0]).not.toContain('none');
  });

  it('writes what says itself how it is written', () => {
    const { lines, log } = make();
    log.info('x', { at: new Date(0), url: new URL('https://a.example/b') });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      at: '1970-01-01T00:00:00.000Z',
      url: 'https://a.example/b',
    });
  });

  it('does not throw when the line cannot be written, or the time not be told', () => {
    const fail = (): never => {
      throw new Error('EPIPE');
    };
    jsonLog({ write: fail, clock: new ManualClock() }).info('x');
    const lines: string[] = [];
    jsonLog({ write: (line) => lines.push(line), clock: { nowMs: () => Number.NaN } }).info('x');
    expect(lines).toEqual([]);
  });
});
