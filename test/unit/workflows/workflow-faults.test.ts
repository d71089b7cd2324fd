import { setImmediate } from 'node:timers/promises';

import { assert, asyncProperty, array, constantFrom, jsonValue, oneof, record } from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { WorkflowTasks } from '../../../src/adapters/local/local-workflows.ts';
import { Conflict, Unavailable } from '../../../src/core/errors/app-error.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { localRollout } from '../../support/local-rollout.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const input = { tenant: 'demo', run: 184 };

/** The shortest way through: nothing to replay, no canary, nobody to tell. */
const short: WorkflowTasks = {
  lint: async () => ({ status: 'passed' }),
  'plan-simulation': async () => ({ status: 'planned', batches: [] }),
  'judge-simulation': async () => ({ status: 'rollout' }),
  'release-rules': async () => ({ status: 'released', waitSeconds: 1 }),
  'notify-partners': async () => ({ status: 'notified', waitSeconds: 1 }),
};

const errorsIn = (lines: readonly { level: string; error?: unknown }[]) =>
  lines.filter(({ level }) => level === 'error').map(({ error }) => (error as Error).name);

describe('a task that fails', () => {
  it('is run again after an error that its state names', async () => {
    let calls = 0;
    const lint = async (): Promise<Json> => {
      calls += 1;
      if (calls === 1) throw new Unavailable('no');
      if (calls === 2) throw new Conflict('no');
      return { status: 'passed' };
    };
    const { engine, clock, lines } = localRollout({ tasks: { ...short, lint } });
    await engine.start('run', input);
    await clock.advance(4000);
    expect(await engine.status('run')).toBe('ended');
    expect([calls, errorsIn(lines)]).toEqual([3, []]);
    const warned = lines.filter(({ level }) => level === 'warn');
    expect(warned).toMatchObject([
      { task: 'lint', failed: 1, error: { name: 'Unavailable' } },
      { task: 'lint', failed: 2, error: { name: 'Conflict' } },
    ]);
  });

  it('is given up after 20 more attempts, with delays that grow', async () => {
    const calledAtMs: number[] = [];
    const lint = async (): Promise<never> => {
      calledAtMs.push(clock.nowMs());
      throw new Unavailable('no');
    };
    const { engine, clock, lines } = localRollout({ tasks: { ...short, lint } });
    await engine.start('run', input);
    await clock.advance(20 * minuteMs);
    expect(await engine.status('run')).toBe('ended');
    expect([calledAtMs.length, errorsIn(lines)]).toEqual([21, ['Unavailable']]);
    const delays = calledAtMs.slice(1).map((atMs, i) => atMs - (calledAtMs[i] ?? 0));
    expect(delays.filter((ms, i) => ms > Math.min(60_000, 1000 * 2 ** i))).toEqual([]);
    expect(Math.max(...delays)).toBeGreaterThan(2000);
  });

  it.each([
    new TypeError('a defect'),
    Object.assign(new Error('no'), { name: 'NotFound' }),
    'text',
  ])('ends the run at once with an error that no state names: %s', async (error) => {
    let calls = 0;
    const lint = async (): Promise<never> => {
      calls += 1;
      throw error;
    };
    const { engine, clock, lines } = localRollout({ tasks: { ...short, lint } });
    await engine.start('run', input);
    await clock.advance(minuteMs);
    expect(await engine.status('run')).toBe('ended');
    expect(calls).toBe(1);
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ error }]);
  });

  it('is run again when it hangs, and its late answer counts for nothing', async () => {
    const late = Promise.withResolvers<Json>();
    let calls = 0;
    const lint = async (): Promise<Json> => {
      calls += 1;
      return calls === 1 ? late.promise : { status: 'passed' };
    };
    const { engine, clock, lines } = localRollout({ tasks: { ...short, lint } });
    await engine.start('run', input);
    await clock.advance(59_000);
    expect([calls, await engine.status('run')]).toEqual([1, 'running']);
    await clock.advance(5000);
    expect([calls, await engine.status('run')]).toEqual([2, 'ended']);
    late.resolve({ status: 'ended' });
    await setImmediate();
    expect(errorsIn(lines)).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  it('ends the run when it hangs again and again', async () => {
    const lint = (): Promise<never> => new Promise<never>(() => undefined);
    const { engine, clock, lines } = localRollout({ tasks: { ...short, lint } });
    await engine.start('run', input);
    await clock.advance(hourMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', ['States.Timeout']]);
  });

  it('that nobody made ends the run', async () => {
    const { engine, clock, lines } = localRollout({ tasks: {} });
    await engine.start('run', input);
    await clock.advance(minuteMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', ['States.Runtime']]);
  });
});

describe('what a task answers', () => {
  const status = constantFrom('passed', 'planned', 'replayed', 'approve', 'canary', 'observing');
  const answer = oneof(
    jsonValue(),
    record({ status, waitSeconds: jsonValue(), batches: jsonValue() }),
    record({ status, waitSeconds: constantFrom(0, 1, 30), batches: array(jsonValue()) }),
  );

  it('may be anything: the run ends, and nothing is left behind', async () => {
    await assert(
      asyncProperty(array(answer, { maxLength: 12 }), async (answers) => {
        const ahead = answers.values();
        const any = async (): Promise<Json | void> => {
          const { value, done } = ahead.next();
          return done === true ? undefined : (value as Json);
        };
        const names = [...Object.keys(short), 'replay-scenarios', 'start-canary', 'observe-canary'];
        const tasks = Object.fromEntries(names.map((name) => [name, any]));
        const { engine, clock } = localRollout({ tasks });
        await engine.start('run', input);
        await clock.advance(hourMs);
        // Only those who wait for a person, or for longer, are still there.
        if ((await engine.status('run')) === 'running') await clock.advance(200 * 24 * hourMs);
        expect(await engine.status('run')).toBe('ended');
        expect(clock.sleeping).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it.each([-1, 0.5, '1', null, undefined, 1e12])('is no time to wait: %j', async (waitSeconds) => {
    const answered = { status: 'held', ...(waitSeconds === undefined ? {} : { waitSeconds }) };
    const tasks = { ...short, 'release-rules': async () => answered };
    const { engine, clock, lines } = localRollout({ tasks });
    await engine.start('run', input);
    await clock.advance(minuteMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', ['States.Runtime']]);
  });

  it('has at most 256 KiB', async () => {
    const tasks = { ...short, lint: async () => ({ status: 'passed', more: 'x'.repeat(262_144) }) };
    const { engine, clock, lines } = localRollout({ tasks });
    await engine.start('run', input);
    await clock.advance(minuteMs);
    expect(errorsIn(lines)).toEqual(['States.DataLimitExceeded']);
  });
});

describe('a replay', () => {
  const batches = Array.from({ length: 23 }, (_, i) => i);
  const plan = async (): Promise<Json> => ({ status: 'planned', batches });

  it('runs five batches at a time, each once', async () => {
    let under = 0;
    const most: number[] = [];
    const given: Json[] = [];
    const tasks = {
      ...short,
      'plan-simulation': plan,
      'replay-scenarios': async (call: Json): Promise<Json> => {
        given.push(call);
        most.push((under += 1));
        await setImmediate();
        under -= 1;
        return { status: 'replayed' };
      },
    };
    const { engine, clock } = localRollout({ tasks });
    await engine.start('run', input);
    for (let i = 0; i < 30; i += 1) await clock.advance(1);
    expect(await engine.status('run')).toBe('ended');
    expect(Math.max(...most)).toBe(5);
    const { tenant, run } = input;
    const task = 'replay-scenarios';
    expect(given).toEqual(batches.map((batch) => ({ task, tenant, run, batch })));
  });

  it('fails as one batch fails, and begins no other then', async () => {
    const given: Json[] = [];
    const tasks = {
      ...short,
      'plan-simulation': plan,
      'replay-scenarios': async (call: Json): Promise<Json> => {
        given.push(call);
        if (given.length === 3) throw new TypeError('a defect');
        if (given.length < 3) throw new Unavailable('no');
        await setImmediate();
        return { status: 'replayed' };
      },
    };
    const { engine, clock, lines } = localRollout({ tasks });
    await engine.start('run', input);
    await clock.advance(hourMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', ['TypeError']]);
    expect(given).toHaveLength(5);
    expect(clock.sleeping).toBe(0);
  });
});

describe('the length of a run', () => {
  /** A canary of 16 h, looked at every `seconds`; then held for a day, and a day of attempts. */
  function longRun(seconds: number): WorkflowTasks {
    const looks = (16 * 3600) / seconds;
    const counts = { looks: 0, held: 0, attempts: 0 };
    return {
      ...short,
      'judge-simulation': async () => ({ status: 'canary' }),
      'start-canary': async () => ({ status: 'observing', waitSeconds: seconds }),
      'observe-canary': async () => {
        const status = (counts.looks += 1) < looks ? 'observing' : 'rollout';
        return { status, waitSeconds: seconds };
      },
      'release-rules': async () => {
        return { status: (counts.held += 1) < 96 ? 'held' : 'released', waitSeconds: 900 };
      },
      'notify-partners': async () => {
        return { status: (counts.attempts += 1) < 288 ? 'waiting' : 'notified', waitSeconds: 300 };
      },
    };
  }

  it('fits into 25 000 events of history, for four observations of 4 h', async () => {
    const { engine, clock, lines, entered } = localRollout({ tasks: longRun(30) });
    await engine.start('run', input);
    await clock.advance(3 * 24 * hourMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', []]);
    expect(entered().at(-1)).toBe('Succeeded');
    expect(entered().filter((state) => state === 'Observe')).toHaveLength(1920);
  });

  it('ends it where Step Functions would', async () => {
    const { engine, clock, lines, entered } = localRollout({ tasks: longRun(20) });
    await engine.start('run', input);
    await clock.advance(3 * 24 * hourMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', ['States.Runtime']]);
    // Nine events a look.
    const looks = entered().filter((state) => state === 'Observe').length;
    expect(looks).toBeGreaterThan(2770);
    expect(looks).toBeLessThan(25_000 / 9);
  });

  it('is limited in time', async () => {
    const tasks = {
      ...short,
      'release-rules': async () => ({ status: 'held', waitSeconds: 7 * 24 * 3600 }),
    };
    const { engine, clock, lines } = localRollout({ tasks });
    await engine.start('run', input);
    await clock.advance(89 * 24 * hourMs);
    expect(await engine.status('run')).toBe('running');
    await clock.advance(24 * hourMs);
    expect([await engine.status('run'), errorsIn(lines)]).toEqual(['ended', ['States.Timeout']]);
    expect(clock.sleeping).toBe(0);
  });
});
