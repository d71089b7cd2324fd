import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RecordWrite } from '../../src/ports/record-store.ts';
import type { RecordSuite } from './record-suite.ts';
import { expectDefect } from '../support/expect-defect.ts';

const maxValueBytes = 350 * 1024;

/** A text of so many bytes as JSON, in half as many characters. */
function textOf(jsonBytes: number): string {
  return 'é'.repeat((jsonBytes - 2) / 2);
}

const badParts = [
  ['empty', ''],
  ['1025 bytes', 'x'.repeat(1025)],
  ['1025 bytes in 513 characters', `${'é'.repeat(512)}x`],
  ['a line break', 'a\nb'],
  ['NUL', 'a\u0000'],
  ['DEL', '\u007F'],
  ['a C1 control', 'a\u0085'],
  ['half a surrogate pair', 'a\uD83D'],
] as const;

export function describeRecordLimits(suite: RecordSuite): void {
  it.each(badParts)('refuses a key part that is or has: %s', async (_, part) => {
    for (const key of [suite.key(part), suite.key('a', part)]) {
      await expectDefect(() => suite.records.get(key));
      await expectDefect(() => suite.records.getMany([suite.key('ok'), key]));
      await expectDefect(() =>
        suite.commit(suite.put('ok'), { kind: 'put', key, value: 1, expect: 'absent' }),
      );
      await expectDefect(() =>
        suite.commit(suite.put('ok'), { kind: 'check', key, expect: 'absent' }),
      );
      await expectDefect(() => suite.commit(suite.put('ok'), { kind: 'delete', key, expect: 1 }));
    }
    const { partition } = suite;
    await expectDefect(() => suite.records.query({ partition: part, limit: 1 }));
    await expectDefect(() => suite.records.query({ partition, limit: 1, after: part }));
    await expectDefect(() => suite.records.query({ partition, limit: 1, until: part }));
    if (part !== '') {
      await expectDefect(() => suite.records.query({ partition, limit: 1, prefix: part }));
    }
    expect(await suite.sorts()).toEqual([]);
  });

  it.each([0, -1, 1001, 1.5, Number.NaN])('refuses a query with limit %d', async (limit) => {
    await expectDefect(() => suite.records.query({ partition: suite.partition, limit }));
  });

  it('refuses to get 101 keys, or a key twice', async () => {
    const keys = Array.from({ length: 101 }, (_, i) => suite.key(`s${i}`));
    await expectDefect(() => suite.records.getMany(keys));
    await expectDefect(() => suite.records.getMany([suite.key('a'), suite.key('a')]));
  });

  it('refuses a commit of no write, of 101, or without a token', async () => {
    await expectDefect(() => suite.commit());
    const writes = Array.from({ length: 101 }, (_, i) => suite.put(`s${i}`));
    await expectDefect(() => suite.commit(...writes));
    await expectDefect(() => suite.records.commit([suite.put('a')], ''));
    expect(await suite.sorts()).toEqual([]);
  });

  it('refuses two writes of one key', async () => {
    await suite.store('a');
    const key = suite.key('a');
    const others: RecordWrite[] = [
      { kind: 'check', key, expect: 1 },
      { kind: 'delete', key, expect: 1 },
      suite.put('a', 'again', 1),
    ];
    for (const other of others) {
      await expectDefect(() => suite.commit(suite.put('a', 'x', 1), other));
    }
    expect(await suite.read('a')).toEqual({ value: 'a', rev: 1 });
  });

  it('takes a value of 350 KiB and refuses one byte more', async () => {
    const max = textOf(maxValueBytes);
    expect(await suite.commit(suite.put('max', max))).toBe('committed');
    expect((await suite.read('max'))?.value === max).toBe(true);
    await expectDefect(() => suite.commit(suite.put('ok'), suite.put('a', `${max}x`)));
    expect(await suite.sorts()).toEqual(['max']);
  });

  it('takes 3.5 MiB of values in a commit and refuses one byte more', async () => {
    // ASCII: an emulator counts what it escapes.
    const text = (jsonBytes: number) => 'x'.repeat(jsonBytes - 2);
    const full = Array.from({ length: 10 }, (_, i) => suite.put(`s${i}`, text(maxValueBytes)));
    const restBytes = 3.5 * 1024 * 1024 - 10 * maxValueBytes;
    await expectDefect(() => suite.commit(...full, suite.put('rest', text(restBytes + 1))));
    expect(await suite.sorts()).toEqual([]);
    expect(await suite.commit(...full, suite.put('rest', text(restBytes)))).toBe('committed');
    expect(await suite.sorts()).toHaveLength(11);
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a BigInt inside', { a: 1n }],
  ])('refuses a value that JSON cannot hold: %s', async (_, value) => {
    const bad: RecordWrite = { kind: 'put', key: suite.key('a'), value, expect: 'absent' };
    await expectDefect(() => suite.commit(suite.put('ok'), bad));
    expect(await suite.sorts()).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to expect rev %d', async (rev) => {
    await expectDefect(() => suite.commit(suite.put('ok'), suite.put('a', 1, rev)));
    expect(await suite.sorts()).toEqual([]);
  });

  it('refuses an expiry that is no whole number', async () => {
    const write = { kind: 'put', key: suite.key('a'), value: 1, expect: 'absent' } as const;
    for (const expiresAtMs of [suite.clock.nowMs() + 0.5, Number.NaN, Infinity]) {
      await expectDefect(() => suite.records.commit([{ ...write, expiresAtMs }], randomUUID()));
    }
    expect(await suite.sorts()).toEqual([]);
  });
}
