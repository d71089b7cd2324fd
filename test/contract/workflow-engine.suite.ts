import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkflowTasks } from '../../src/adapters/local/local-workflows.ts';
import type { Json } from '../../src/core/values/json.ts';
import type { WorkflowEngine } from '../../src/ports/workflow-engine.ts';
import { expectDefect } from '../support/expect-defect.ts';

export interface WorkflowEngineFixture {
  /** Runs `suiteDefinition`. */
  readonly engine: WorkflowEngine;
  /** Lets about so much time pass for the engine. */
  readonly pass: (ms: number) => Promise<void>;
  readonly close?: () => Promise<void>;
}

const retrier = {
  ErrorEquals: ['Unavailable'],
  IntervalSeconds: 1,
  BackoffRate: 2,
  MaxDelaySeconds: 2,
  MaxAttempts: 2,
  JitterStrategy: 'NONE',
};

/** Waits for `seconds`, asks, and tells what was said unless it was no. */
export const suiteDefinition = {
  StartAt: 'Pause',
  TimeoutSeconds: 600,
  States: {
    Pause: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Ask' },
    Ask: {
      Type: 'Task',
      Resource: '${InvokeAndWait}',
      Parameters: {
        FunctionName: '${AdvanceRun}',
        Payload: { task: 'ask', 'name.$': '$.name', 'token.$': '$$.Task.Token' },
      },
      ResultPath: '$.step',
      TimeoutSeconds: 300,
      Retry: [retrier],
      Next: 'Said?',
    },
    'Said?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.step.status', StringEquals: 'yes', Next: 'Tell' }],
      Default: 'Refused',
    },
    Tell: {
      Type: 'Task',
      Resource: '${AdvanceRun}',
      Parameters: {
        task: 'tell',
        'name.$': '$.name',
        'given.$': '$.given',
        'said.$': '$.step.said',
      },
      ResultPath: '$.step',
      TimeoutSeconds: 60,
      Retry: [retrier],
      Next: 'Done',
    },
    Done: { Type: 'Succeed' },
    Refused: { Type: 'Fail', Error: 'Refused', Cause: 'It was told no.' },
  },
} as const satisfies Json;

interface Call {
  readonly name: string;
  readonly token?: string;
  readonly given?: Json;
  readonly said?: Json;
}

const stepMs = 250;
const maxSteps = 80;

/** What every WorkflowEngine must do. */
export function describeWorkflowEngine(
  name: string,
  make: (tasks: WorkflowTasks) => Promise<WorkflowEngineFixture>,
): void {
  describe(`WorkflowEngine: ${name}`, () => {
    let fixture: WorkflowEngineFixture;
    let engine: WorkflowEngine;
    let process: string;
    let asked: Call[];
    let told: Call[];
    let tell: () => void;

    beforeEach(async () => {
      asked = [];
      told = [];
      tell = () => undefined;
      process = `suite-${randomUUID()}`;
      fixture = await make({
        ask: async (input) => void asked.push(input as unknown as Call),
        tell: async (input) => {
          told.push(input as unknown as Call);
          tell();
        },
      });
      engine = fixture.engine;
    });
    afterEach(async () => await fixture.close?.());

    const start = (given: Json = null, seconds = 1): Promise<void> =>
      engine.start(process, { name: process, seconds, given });
    const until = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
      for (let step = 0; !(await isSo()); step += 1) {
        if (step === maxSteps) throw new Error(`not so, even after ${maxSteps * stepMs} ms`);
        await fixture.pass(stepMs);
      }
    };
    const untilEnded = (which = process): Promise<void> =>
      until(async () => (await engine.status(which)) === 'ended');
    const token = async (which = process): Promise<string> => {
      const find = (): Call | undefined => asked.find((call) => call.name === which);
      await until(() => find() !== undefined);
      return find()?.token ?? '';
    };

    it('does not know what was never started', async () => {
      expect(await engine.status(process)).toBe('unknown');
    });

    it('runs a process to its end', async () => {
      await start();
      expect(await engine.status(process)).toBe('running');
      expect(await engine.signal(await token(), { status: 'yes', said: 'go' })).toBe('delivered');
      await untilEnded();
      expect(told).toHaveLength(1);
    });

    it('waits for as long as the input says', async () => {
      await start(null, 5);
      await fixture.pass(2000);
      expect(asked).toEqual([]);
      await token();
    });

    it('hands on the input and the result of a signal as they are', async () => {
      const given = { text: 'a😀\u0000\u2028"\\', list: [1, 0.1, null, { a: [] }], '': true };
      const said = { 'a.$': '$.given', list: [[], {}, 'ä/ö'], none: null };
      await start(given);
      await engine.signal(await token(), { status: 'yes', said });
      await untilEnded();
      expect(told).toEqual([{ task: 'tell', name: process, given, said }]);
    });

    it('keeps no hold of the input and of a result', async () => {
      const given = { list: ['before'] };
      const said = ['before'];
      const started = start(given);
      given.list.push('after');
      await started;
      const signalled = engine.signal(await token(), { status: 'yes', said });
      said.push('after');
      await signalled;
      await untilEnded();
      expect(told).toMatchObject([{ given: { list: ['before'] }, said: ['before'] }]);
    });

    it('ends where the state machine fails', async () => {
      await start();
      await engine.signal(await token(), { status: 'no' });
      await untilEnded();
      expect(told).toEqual([]);
    });

    it('ends when a task fails with an error that no state names', async () => {
      tell = () => {
        throw new TypeError('a defect');
      };
      await start();
      await engine.signal(await token(), { status: 'yes', said: null });
      await untilEnded();
      expect(told).toHaveLength(1);
    });

    it('runs once what is started many times at once', async () => {
      await Promise.all([start(), start(), start(), start(), start()]);
      await engine.signal(await token(), { status: 'yes', said: null });
      await untilEnded();
      expect([asked.length, told.length]).toEqual([1, 1]);
    });

    it('leaves alone what runs, also when it is given another input', async () => {
      await start('first');
      await start('second', 30);
      await engine.signal(await token(), { status: 'yes', said: null });
      await untilEnded();
      expect(told).toMatchObject([{ given: 'first' }]);
    });

    it('starts nothing under the name of what has ended', async () => {
      await start();
      await engine.signal(await token(), { status: 'no' });
      await untilEnded();
      await start('again');
      await fixture.pass(3000);
      expect(await engine.status(process)).toBe('ended');
      expect(asked).toHaveLength(1);
    });

    it('delivers a signal once', async () => {
      await start();
      const first = await token();
      expect(await engine.signal(first, { status: 'yes', said: 1 })).toBe('delivered');
      await untilEnded();
      expect(await engine.signal(first, { status: 'yes', said: 2 })).toBe('gone');
      expect(told).toMatchObject([{ said: 1 }]);
    });

    it('has nobody wait with a token that it did not give', async () => {
      expect(await engine.signal(randomUUID(), { status: 'yes' })).toBe('gone');
    });

    it('keeps two processes apart', async () => {
      const other = `${process}-2`;
      await start();
      await engine.start(other, { name: other, seconds: 1, given: null });
      const tokens = [await token(), await token(other)];
      expect(new Set(tokens).size).toBe(2);
      await engine.signal(tokens[1] ?? '', { status: 'yes', said: null });
      await untilEnded(other);
      expect(await engine.status(process)).toBe('running');
      expect(told.map((call) => call.name)).toEqual([other]);
      expect(await engine.signal(tokens[0] ?? '', { status: 'no' })).toBe('delivered');
      await untilEnded();
    });

    it('takes names of up to 80 characters, and an input of up to 32 KiB', async () => {
      const long = `${'aZ09_-'.repeat(8)}${randomUUID()}`.slice(-80).padStart(80, '-');
      const input = { name: long, seconds: 1, given: '' };
      const given = 'x'.repeat(32 * 1024 - JSON.stringify(input).length);
      await engine.start(long, { ...input, given });
      await engine.signal(await token(long), { status: 'yes', said: null });
      await untilEnded(long);
      expect(told).toMatchObject([{ given }]);
    });

    it('refuses a name that is none', async () => {
      for (const bad of ['', 'a'.repeat(81), 'a b', 'a.b', 'a/b', 'ä', 'a\n']) {
        await expectDefect(() => engine.start(bad, { name: process, seconds: 1, given: null }));
      }
      await fixture.pass(2000);
      expect(asked).toEqual([]);
    });

    it('refuses an input of more than 32 KiB', async () => {
      await expectDefect(() => start('é'.repeat(16 * 1024)));
      expect(await engine.status(process)).toBe('unknown');
    });
  });
}
