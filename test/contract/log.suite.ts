import { beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../src/core/errors/app-error.ts';
import type { Log, LogFields } from '../../src/ports/log.ts';

export interface LogFixture {
  /** Writes every level. */
  readonly log: Log;
  /** What was written, as it was written. */
  readonly written: () => string;
}

const unwritable: readonly (readonly [name: string, value: () => unknown])[] = [
  ['a cycle', () => cycle()],
  ['a BigInt', () => 2n ** 100n],
  ['a function', () => () => 1],
  ['a symbol', () => Symbol('s')],
  [
    'a getter that throws',
    () => ({
      get bad() {
        throw new Error('no');
      },
    }),
  ],
  [
    'a toJSON that throws',
    () => ({
      toJSON: () => {
        throw new Error('no');
      },
    }),
  ],
  ['a toJSON without end', () => endless()],
  [
    'a proxy that throws',
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
  ],
  ['a proxy that is gone', () => revoked()],
  ['an invalid date', () => new Date(Number.NaN)],
  ['not a number', () => Number.NaN],
  ['an object without a prototype', () => Object.create(null)],
  [
    'an error with a getter that throws',
    () =>
      Object.defineProperty(new Error('x'), 'stack', {
        get: () => {
          throw new Error('no');
        },
      }),
  ],
  ['depth', () => deep(10_000)],
  ['a long list', () => Array.from({ length: 100_000 }, () => 'x'.repeat(100))],
  ['a long text', () => 'x'.repeat(10_000_000)],
  ['many bytes', () => new Uint8Array(1_000_000)],
  ['a map and a set', () => [new Map([[{}, 1]]), new Set([1])]],
];

function cycle(): unknown {
  const one: { two?: unknown } = {};
  one.two = { three: [one] };
  return one;
}

function endless(): unknown {
  return { toJSON: () => endless() };
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function deep(depth: number): unknown {
  let value: unknown = 'end';
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

/** What every Log must do. */
export function describeLog(name: string, make: () => LogFixture): void {
  describe(`Log: ${name}`, () => {
    let log: Log;
    let written: LogFixture['written'];

    beforeEach(() => {
      ({ log, written } = make());
    });

    const lines = (): Record<string, unknown>[] => {
      const text = written();
      expect(text === '' || text.endsWith('\n')).toBe(true);
      return text
        .split('\n')
        .slice(0, -1)
        .map((line): Record<string, unknown> => JSON.parse(line));
    };
    const only = (): Record<string, unknown> => {
      expect(lines()).toHaveLength(1);
      return lines()[0] ?? {};
    };

    it.each(['debug', 'info', 'warn', 'error'] as const)('writes one line for %s', (level) => {
      log[level]('policy published', { policy: 'epa-pm25-limit', count: 2, ok: true, none: null });
      const { time, ...rest } = only();
      expect(rest).toEqual({
        level,
        msg: 'policy published',
        policy: 'epa-pm25-limit',
        count: 2,
        ok: true,
        none: null,
      });
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    });

    it('writes a line without fields', () => {
      log.info('started');
      expect(Object.keys(only()).sort()).toEqual(['level', 'msg', 'time']);
    });

    it('writes structure as it is', () => {
      const fields = { a: { b: [1, { c: 'd' }], e: {} }, '': 0, 'x y': 'ä😀' };
      log.info('structure', fields);
      expect(only()).toMatchObject(fields);
    });

    it('keeps level, time and msg from being replaced by fields', () => {
      log.with({ level: 'x', time: 'x' }).warn('true', { msg: 'x', level: 'y' });
      expect(only()).toMatchObject({ level: 'warn', msg: 'true' });
      expect(only()['time']).not.toBe('x');
    });

    it('writes an error with name, message, code, stack and causes', () => {
      const root = Object.assign(new TypeError('disk full'), { code: 'ENOSPC' });
      log.error('failed', {
        error: new Unavailable('no answer', new Error('write', { cause: root })),
      });
      expect(only()['error']).toMatchObject({
        name: 'Unavailable',
        message: 'no answer',
        code: 'unavailable',
        stack: expect.stringContaining('log.suite.ts'),
        cause: {
          name: 'Error',
          message: 'write',
          cause: { name: 'TypeError', message: 'disk full', code: 'ENOSPC' },
        },
      });
    });

    it('writes errors that cause each other', () => {
      const [first, second] = [new Error('first'), new Error('second')];
      first.cause = second;
      second.cause = first;
      log.error('failed', { error: first });
      expect(only()['error']).toMatchObject({ message: 'first', cause: { message: 'second' } });
    });

    it('writes the errors of an aggregate', () => {
      log.error('failed', {
        error: new AggregateError([new Error('one'), new Error('two')], 'all'),
      });
      const text = JSON.stringify(only());
      for (const message of ['one', 'two', 'all']) expect(text).toContain(`"${message}"`);
    });

    it.each(unwritable)('replaces or bounds a field with %s, and writes the others', (_, value) => {
      log.info('odd', { before: 1, odd: value(), after: 2 });
      expect(only()).toMatchObject({ msg: 'odd', before: 1, after: 2 });
      expect(written().length).toBeLessThan(200_000);
    });

    it.each(unwritable)('does so in a log with it: %s', (_, value) => {
      log.with({ before: 1, odd: value() }).info('odd', { after: 2 });
      expect(only()).toMatchObject({ msg: 'odd', before: 1, after: 2 });
    });

    it('replaces a field whose getter throws, and writes the others', () => {
      const odd = {
        before: 1,
        get odd(): never {
          throw new Error('no');
        },
        after: 2,
      };
      log.info('one', odd);
      log.with(odd).info('two', { inner: odd });
      const others = { before: 1, after: 2 };
      expect(lines()).toMatchObject([others, { ...others, inner: others }]);
    });

    it('does not throw when the fields themselves cannot be read', () => {
      const fields = new Proxy<LogFields>(
        {},
        {
          ownKeys: () => {
            throw new Error('no');
          },
        },
      );
      log.info('odd', fields);
      log.with(fields).info('odd');
      expect(lines().map(({ msg }) => msg)).toEqual(['odd', 'odd']);
    });

    it('lets no value begin a line or steer a terminal', () => {
      const evil = 'a\n{"level":"error"}\r\u2028\u2029\u0085\u001B[31m\u009B31m\u007F\u0000';
      log.info(evil, { [evil]: evil, nested: [{ [evil]: evil }], error: new Error(evil) });
      expect(only()).toMatchObject({ msg: evil, [evil]: evil });
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      expect(written().slice(0, -1)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/);
    });

    it('does not change the prototype of anything', () => {
      log.info('proto', JSON.parse('{"__proto__":{"polluted":1},"constructor":{"a":1}}'));
      only();
      expect(Reflect.get({}, 'polluted')).toBeUndefined();
      expect(written()).toContain('"__proto__":{"polluted":1}');
    });

    it('adds the fields of with to every line, also over several', () => {
      const inner = log.with({ request: 'r1', a: 1 }).with({ tenant: 'demo', a: 2 });
      inner.info('one');
      inner.error('two', { a: 3 });
      log.info('three');
      expect(lines()).toMatchObject([
        { msg: 'one', request: 'r1', tenant: 'demo', a: 2 },
        { msg: 'two', request: 'r1', tenant: 'demo', a: 3 },
        { msg: 'three' },
      ]);
      expect(lines()[2]).not.toHaveProperty('request');
    });
  });
}
