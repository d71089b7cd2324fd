import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatMs, formatSeconds, parseSeconds } from '../../../sdk/src/cli/durations.ts';
import { createOutput, plain } from '../../../sdk/src/cli/output.ts';
import { writeTable } from '../../../sdk/src/cli/table.ts';

function outputOf(env: Readonly<Record<string, string>>, isTTY: boolean, isJson = false) {
  let written = '';
  const stdout = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  stdout.on('data', (piece: Buffer) => (written += piece.toString()));
  const io = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env,
    cwd: '/',
    signal: new AbortController().signal,
    nowMs: () => 0,
  };
  return { out: createOutput(io, isJson), written: () => written };
}

describe('colours', () => {
  it.each<[string, Readonly<Record<string, string>>, boolean, boolean]>([
    ['on a terminal', { TERM: 'xterm' }, true, true],
    ['not in a pipe', { TERM: 'xterm' }, false, false],
    ['not with NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['with an empty NO_COLOR', { NO_COLOR: '' }, true, true],
    ['not on a dumb terminal', { TERM: 'dumb' }, true, false],
    ['in a pipe when forced', { FORCE_COLOR: '1' }, false, true],
    ['not when forced off', { FORCE_COLOR: '0' }, true, false],
  ])('are %s', (_, env, isTTY, expected) => {
    const { out } = outputOf(env, isTTY);
    expect(out.paint('red', 'x') !== 'x').toBe(expected);
  });

  it('are never in JSON, which is never live', () => {
    const { out } = outputOf({ FORCE_COLOR: '1', TERM: 'xterm' }, true, true);
    expect([out.paint('red', 'x'), out.isLive]).toEqual(['x', false]);
  });
});

describe('what others wrote', () => {
  it.each([
    ['moves no cursor', 'a\u001b[2Jb', 'ab'],
    ['sets no title', 'a\u001b]0;owned\u0007b', 'ab'],
    ['rings no bell', 'a\u0007b', 'ab'],
    ['returns to no beginning', 'good\rbad', 'goodbad'],
    ['has no C1 controls', 'a\u009b2Jb', 'ab'],
    ['keeps its text', 'µg/m³ — 東京', 'µg/m³ — 東京'],
  ])('%s', (_, text, expected) => {
    expect(plain(text, false)).toBe(expected);
  });

  it('leaves our colours in', () => {
    expect(plain('\u001b[32mPASS\u001b[39m\u001b[2J', true)).toBe('\u001b[32mPASS\u001b[39m[2J');
  });
});

describe('a table', () => {
  it('has columns as wide as they need, colours not counted', () => {
    const { out, written } = outputOf({ FORCE_COLOR: '1' }, false);
    writeTable(
      out,
      ['A', 'B'],
      [
        [out.paint('red', 'x'), '1'],
        ['long', ''],
      ],
      'nothing',
    );
    const lines = written().split('\n');
    expect(lines).toEqual([
      '\u001b[2mA     B\u001b[22m',
      '\u001b[31mx\u001b[39m     1',
      'long',
      '',
    ]);
  });

  it('says that there is nothing', () => {
    const { out, written } = outputOf({}, false);
    writeTable(out, ['A'], [], 'nothing');
    expect(written()).toBe('nothing\n');
  });
});

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [9999, '9.9 s'],
    [10_000, '10 s'],
    [702_000, '11 min 42 s'],
    [3_600_000, '1 h 0 min'],
    [172_800_000, '2 d 0 h'],
    [-5, '0 ms'],
  ])('%i ms are %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });

  it('in whole seconds count up', () => {
    expect([0, 59.9, 60, -1].map(formatSeconds)).toEqual(['0 s', '59 s', '1 min 0 s', '0 s']);
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2h', 7200],
    ['1d', 86_400],
  ])('%s are %i s', (text, seconds) => {
    expect(parseSeconds(text)).toBe(seconds);
  });

  it.each(['', 'm', '-5m', '1.5h', '5 minutes', '9999999999', '5M'])('%j is none', (text) => {
    expect(() => parseSeconds(text)).toThrow('A time such as');
  });
});
