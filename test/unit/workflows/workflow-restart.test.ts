import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { LocalWorkflows, WorkflowTasks } from '../../../src/adapters/local/local-workflows.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { localRollout } from '../../support/local-rollout.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const input = { tenant: 'demo', run: 184 };
const hourMs = 3_600_000;

/** What lasts while engines come and go; as small a model of a run's records as drives all states. */
class Records {
  readonly replayed = new Set<Json>();
  readonly decided = new Set<string>();
  readonly open = new Map<string, string>();
  looks = 0;
  canaries = 0;
  heldOnce = false;
  releases = 0;
  sent = 0;

  /** The tasks on these records. Like the real ones, each can be begun anew. */
  tasks(engine: () => LocalWorkflows): WorkflowTasks {
    const ask = (ticket: string, status: string) => async (given: Json) => {
      const { token } = given as { token: string };
      if (this.decided.has(ticket)) await engine().signal(token, { status });
      else this.open.set(ticket, token);
    };
    return {
      lint: async () => ({ status: 'passed' }),
      'plan-simulation': async () => ({ status: 'planned', batches: [1, 2, 3, 4, 5, 6, 7] }),
      'replay-scenarios': async (given) => {
        this.replayed.add((given as { batch: number }).batch);
        return { status: 'replayed' };
      },
      'judge-simulation': async () => ({ status: this.replayed.size === 7 ? 'approve' : 'ended' }),
      'request-approval': ask('approval', 'canary'),
      'start-canary': async () => {
        this.looks = 0;
        this.canaries += 1;
        return { status: 'observing', waitSeconds: 30 };
      },
      'observe-canary': async () => {
        if (this.decided.has('review')) return { status: 'rollout', waitSeconds: 30 };
        return { status: (this.looks += 1) < 3 ? 'observing' : 'review', waitSeconds: 30 };
      },
      'request-review': ask('review', 'rollout'),
      'release-rules': async () => {
        if (!this.heldOnce) {
          this.heldOnce = true;
          return { status: 'held', waitSeconds: 600 };
        }
        this.releases = 1;
        return { status: 'released', waitSeconds: 1 };
      },
      'notify-partners': async () => {
        this.sent = Math.min(2, this.sent + 1);
        return { status: this.sent < 2 ? 'waiting' : 'notified', waitSeconds: 300 };
      },
    };
  }

  /** People decide what is open; the tokens are those of the latest engine that asked. */
  async decide(engine: LocalWorkflows): Promise<void> {
    for (const [ticket, token] of this.open) {
      this.decided.add(ticket);
      this.open.delete(ticket);
      await engine.signal(token, { status: ticket === 'approval' ? 'canary' : 'rollout' });
    }
  }
}

interface Life {
  readonly states: readonly unknown[];
  readonly status: string;
}

/** An engine on these records, until the run ends or the engine is closed at the n-th state. */
async function live(records: Records, clock: ManualClock, closeAt: number): Promise<Life> {
  let entered = 0;
  const closing: Promise<void>[] = [];
  const rollout = localRollout({
    clock,
    tasks: records.tasks(() => engine),
    onState: () => {
      entered += 1;
      if (entered === closeAt) closing.push(engine.close());
    },
  });
  const { engine } = rollout;
  await engine.start('run', input);
  for (let i = 0; closing.length === 0 && (await engine.status('run')) === 'running'; i += 1) {
    if (i > 100) throw new Error('it does not end');
    await clock.advance(10 * 60_000);
    await records.decide(engine);
  }
  await Promise.all(closing);
  const states = rollout.entered();
  expect(rollout.lines.filter(({ level }) => level === 'error')).toEqual([]);
  expect(clock.sleeping).toBe(0);
  return { states, status: await engine.status('run') };
}

const whole = await live(new Records(), new ManualClock(), Infinity);
const kills = whole.states.map((state, i) => ({ state, at: i + 1 }));

describe('an engine that is closed', () => {
  it('has every state to be closed at, but those of early ends', () => {
    expect(whole.states.at(-1)).toBe('Succeeded');
    for (const name of ['Replay batch', 'Approve', 'Canary runs', 'Review', 'Next attempt']) {
      expect(whole.states).toContain(name);
    }
  });

  it.each(kills)('at $at, in $state, leaves a run that the next one ends', async ({ at }) => {
    const records = new Records();
    const clock = new ManualClock();
    const first = await live(records, clock, at);
    // In the last state there is nothing left to stop.
    expect(first.status).toBe(at === kills.length ? 'ended' : 'unknown');
    // A task that was under way when it closed may have been done; no state came after it.
    const after = first.states.slice(at).filter((state) => state !== 'Replay batch');
    expect(after).toEqual([]);

    const second = await live(records, clock, Infinity);
    expect([second.status, second.states.at(-1)]).toEqual(['ended', 'Succeeded']);
    expect([records.replayed.size, records.releases, records.sent]).toEqual([7, 1, 2]);
    expect(records.decided).toEqual(new Set(['approval', 'review']));
  });

  it('again and again, one state further each time, still ends', async () => {
    const records = new Records();
    const clock = new ManualClock();
    for (const { at } of kills.slice(0, -1)) {
      expect((await live(records, clock, at)).status).not.toBe('running');
    }
    expect((await live(records, clock, Infinity)).states.at(-1)).toBe('Succeeded');
    expect([records.releases, records.sent]).toEqual([1, 2]);
  });

  it('waits for the task that is under way, and begins none after it', async () => {
    const lint = Promise.withResolvers<Json>();
    const began: string[] = [];
    const tasks = {
      lint: () => lint.promise,
      'plan-simulation': async () => void began.push('plan-simulation'),
    };
    const { engine, clock } = localRollout({ tasks });
    await engine.start('run', input);
    await clock.advance(1);
    let isClosed = false;
    const closed = engine.close().then(() => (isClosed = true));
    await setImmediate();
    expect([isClosed, await engine.status('run')]).toEqual([false, 'running']);
    lint.resolve({ status: 'passed' });
    await closed;
    expect([began, await engine.status('run'), clock.sleeping]).toEqual([[], 'unknown', 0]);
  });

  it('waits no longer for a task than its time limit', async () => {
    const lint = (): Promise<never> => new Promise<never>(() => undefined);
    const { engine, clock } = localRollout({ tasks: { lint } });
    await engine.start('run', input);
    await clock.advance(1);
    const closed = engine.close();
    await clock.advance(60_000);
    await closed;
    expect([await engine.status('run'), clock.sleeping]).toEqual(['unknown', 0]);
  });

  it('does not take it for a failure when a task fails while it closes', async () => {
    const lint = Promise.withResolvers<Json>();
    const { engine, clock, lines } = localRollout({ tasks: { lint: () => lint.promise } });
    await engine.start('run', input);
    await clock.advance(1);
    const closed = engine.close();
    lint.reject(new Error('the database is closed'));
    await closed;
    expect(await engine.status('run')).toBe('unknown');
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('starts nothing, knows no token, and may be closed twice', async () => {
    const { engine, clock, entered } = localRollout({ tasks: {} });
    await engine.close();
    await engine.close();
    await expect(engine.start('run', input)).rejects.toThrow(Unavailable);
    expect(await engine.signal('token', null)).toBe('gone');
    await clock.advance(hourMs);
    expect(entered()).toEqual([]);
  });

  it('lets go of a token that is waited with', async () => {
    const tokens: string[] = [];
    const tasks = {
      ...new Records().tasks(() => engine),
      'request-approval': async (given: Json) => {
        tokens.push((given as { token: string }).token);
      },
    };
    const rollout = localRollout({ tasks });
    const { engine, clock } = rollout;
    await engine.start('run', input);
    await clock.advance(hourMs);
    await engine.close();
    expect(await engine.signal(tokens[0] ?? '', { status: 'canary' })).toBe('gone');
    expect(clock.sleeping).toBe(0);
  });
});

describe('what is remembered', () => {
  it('is the names of the latest 10 000 that ended', async () => {
    const { engine, clock } = localRollout({ tasks: { lint: async () => ({ status: 'ended' }) } });
    for (let i = 0; i <= 10_000; i += 1) {
      await engine.start(`run-${i}`, input);
      if (i % 1000 === 0) await clock.advance(1);
    }
    await clock.advance(1);
    expect(await engine.status('run-0')).toBe('unknown');
    expect(await engine.status('run-1')).toBe('ended');
    expect(await engine.status('run-10000')).toBe('ended');
  });

  it('is not more than 10 000 that run', async () => {
    const lint = (): Promise<never> => new Promise<never>(() => undefined);
    const { engine, clock } = localRollout({ tasks: { lint } });
    for (let i = 0; i < 10_000; i += 1) await engine.start(`run-${i}`, input);
    await expect(engine.start('one-more', input)).rejects.toThrow(Unavailable);
    await expect(engine.start('run-0', input)).resolves.toBeUndefined();
    const closed = engine.close();
    clock.set(clock.nowMs() + 60_000);
    await closed;
  });
});
