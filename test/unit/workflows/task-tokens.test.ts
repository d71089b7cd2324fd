import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { WorkflowTasks } from '../../../src/adapters/local/local-workflows.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { localRollout } from '../../support/local-rollout.ts';
import type { LocalRollout } from '../../support/local-rollout.ts';

const hourMs = 3_600_000;
const input = { tenant: 'demo', run: 184 };

/** A run that is approved, and then ends well. What `request-approval` does with a token is given. */
function approved(ask: (token: string, rollout: LocalRollout) => Promise<void>): LocalRollout {
  const tasks: WorkflowTasks = {
    lint: async () => ({ status: 'passed' }),
    'plan-simulation': async () => ({ status: 'planned', batches: [] }),
    'judge-simulation': async () => ({ status: 'approve' }),
    'request-approval': (given) => ask((given as { token: string }).token, rollout),
    'release-rules': async () => ({ status: 'released', waitSeconds: 1 }),
    'notify-partners': async () => ({ status: 'notified', waitSeconds: 1 }),
  };
  const rollout = localRollout({ tasks });
  return rollout;
}

const go = { status: 'rollout' };

describe('a task that waits', () => {
  it('waits for days, and takes the first signal alone', async () => {
    const tokens: string[] = [];
    const rollout = approved(async (token) => void tokens.push(token));
    const { engine, clock, entered } = rollout;
    await engine.start('run', input);
    await clock.advance(73 * hourMs);
    const answers = await Promise.all([1, 2, 3].map(() => engine.signal(tokens[0] ?? '', go)));
    expect(answers.toSorted()).toEqual(['delivered', 'gone', 'gone']);
    await clock.advance(1000);
    expect(entered().at(-1)).toBe('Succeeded');
    expect(tokens).toHaveLength(1);
  });

  it('takes a signal that comes before it has returned, also when it then fails', async () => {
    for (const fails of [false, true]) {
      const answers: string[] = [];
      const { engine, clock, entered } = approved(async (token, rollout) => {
        answers.push(await rollout.engine.signal(token, go));
        if (fails) throw new Unavailable('no');
      });
      await engine.start('run', input);
      await clock.advance(60_000);
      expect([entered().at(-1), answers]).toEqual(['Succeeded', ['delivered']]);
    }
  });

  it('asks again with a new token when it fails, and the old one is gone', async () => {
    const tokens: string[] = [];
    const { engine, clock, entered } = approved(async (token) => {
      tokens.push(token);
      if (tokens.length === 1) throw new Unavailable('no');
    });
    await engine.start('run', input);
    await clock.advance(60_000);
    expect(new Set(tokens).size).toBe(2);
    expect(await engine.signal(tokens[0] ?? '', { status: 'ended' })).toBe('gone');
    expect(await engine.signal(tokens[1] ?? '', go)).toBe('delivered');
    await clock.advance(1000);
    expect(entered().at(-1)).toBe('Succeeded');
  });

  it('asks once more after 74 h, and then ends the run', async () => {
    const tokens: string[] = [];
    const { engine, clock, lines } = approved(async (token) => void tokens.push(token));
    await engine.start('run', input);
    await clock.advance(74 * hourMs + 1000);
    expect(tokens).toHaveLength(2);
    expect(await engine.signal(tokens[0] ?? '', go)).toBe('gone');
    await clock.advance(74 * hourMs + 1000);
    expect(await engine.status('run')).toBe('ended');
    expect(lines.at(-1)).toMatchObject({ level: 'error', error: { name: 'States.Timeout' } });
    expect(await engine.signal(tokens[1] ?? '', go)).toBe('gone');
    expect(clock.sleeping).toBe(0);
  });

  it('waits no longer because the clock was put back', async () => {
    const tokens: string[] = [];
    const { engine, clock } = approved(async (token, rollout) => {
      tokens.push(token);
      if (tokens.length === 1) rollout.clock.set(rollout.clock.nowMs() - 1000 * hourMs);
    });
    await engine.start('run', input);
    while (tokens.length === 0) await setImmediate();
    await clock.advance(74 * hourMs + 1000);
    expect(tokens).toHaveLength(2);
  });

  it('writes no token into the log', async () => {
    const tokens: string[] = [];
    const { engine, clock, lines } = approved(async (token) => {
      tokens.push(token);
      if (tokens.length < 3) throw new Unavailable('no');
    });
    await engine.start('run', input);
    await clock.advance(60_000);
    await engine.signal(tokens[2] ?? '', go);
    await clock.advance(1000);
    const text = JSON.stringify(lines);
    expect(tokens.filter((token) => text.includes(token))).toEqual([]);
    expect(tokens).toHaveLength(3);
  });
});
