import { describe, expect, it } from 'vitest';

import { parseStateMachine } from '../../../src/adapters/local/parse-state-machine.ts';
import type { State, TaskState } from '../../../src/adapters/local/state-machine.ts';
import type { RolloutTask } from '../../../src/core/rollouts/rollout-tasks.ts';
import { stageNames } from '../../../src/core/rollouts/run-record.ts';
import { rolloutDefinition, rolloutPaths } from '../../support/rollout-paths.ts';

const machine = parseStateMachine(rolloutDefinition);
const text = JSON.stringify(rolloutDefinition);

/** By whom each task is done: the compiler has it that none is forgotten. */
const functionOf: Record<RolloutTask, string> = {
  lint: 'LintPolicies',
  'plan-simulation': 'ReplayScenarios',
  'replay-scenarios': 'ReplayScenarios',
  'judge-simulation': 'ReplayScenarios',
  'request-approval': 'AdvanceRun',
  'start-canary': 'AdvanceRun',
  'observe-canary': 'AdvanceRun',
  'request-review': 'AdvanceRun',
  'release-rules': 'AdvanceRun',
  'notify-partners': 'NotifyPartners',
};

const errorNames = [
  'Unavailable',
  'Conflict',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'Runtime.HandlerError',
  'States.Timeout',
];

function tasksIn(states: ReadonlyMap<string, State>): [string, TaskState][] {
  return [...states].flatMap(([name, state]): [string, TaskState][] => {
    if (state.type === 'Task') return [[name, state]];
    return state.type === 'Map' ? tasksIn(state.each.states) : [];
  });
}

function rawTasks(value: unknown): { Resource: string; Parameters: Record<string, unknown> }[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(rawTasks);
  return 'Type' in value && value.Type === 'Task' ? [value as never, ...inner] : inner;
}

describe('statemachines/rollout.asl.json', () => {
  it('shows the stages by the names that people see', () => {
    const names = new Set([...machine.states.keys()].map((name) => name.toLowerCase()));
    expect(stageNames.filter((stage) => !names.has(stage))).toEqual([]);
  });

  it('names no state twice, also within the map, and none longer than 80 characters', () => {
    const names = [...text.matchAll(/"([^"]+)":\{(?:"Comment":"[^"]*",)?"Type"/g)].map((m) => m[1]);
    expect(names).toContain('Replay batch');
    expect(names).toContain('Ended');
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => (name ?? '').length > 80)).toEqual([]);
  });

  it('runs every task once, by the function that has it', () => {
    const found = rawTasks(rolloutDefinition).map(({ Resource, Parameters }) =>
      Resource === '${InvokeAndWait}'
        ? [(Parameters['Payload'] as { task: string }).task, Parameters['FunctionName']]
        : [Parameters['task'], Resource],
    );
    const expected = Object.entries(functionOf).map(([task, name]) => [task, `\${${name}}`]);
    expect(found).toHaveLength(expected.length);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  it('waits for a token where people decide, longer than any ticket lives', () => {
    const waiting = tasksIn(machine.states).filter(([, { waitsForToken }]) => waitsForToken);
    expect(waiting.map(([name]) => name)).toEqual(['Approve', 'Review']);
    for (const [, state] of waiting) expect(state.timeoutMs).toBe(74 * 3_600_000);
  });

  it('gives every task a time limit, and a retry that names its errors', () => {
    const tasks = tasksIn(machine.states);
    expect(tasks).toHaveLength(Object.keys(functionOf).length);
    for (const [name, { timeoutMs, waitsForToken, retry }] of tasks) {
      expect([name, waitsForToken || timeoutMs <= 300_000]).toEqual([name, true]);
      const errors = retry.flatMap((retrier) => retrier.errors);
      expect([name, ...errors.toSorted()]).toEqual([name, ...errorNames.toSorted()]);
      expect(retry.every(({ jitter, backoffRate }) => jitter && backoffRate >= 1)).toBe(true);
    }
  });

  it('knows no ARN, and no placeholder but the five', () => {
    expect(text).not.toContain('arn:');
    const placeholders = [...text.matchAll(/\$\{(\w*)\}?/g)].map((match) => match[1]);
    expect(new Set(placeholders)).toEqual(new Set([...Object.values(functionOf), 'InvokeAndWait']));
  });

  it('catches nothing, and keeps to JSONPath', () => {
    for (const field of ['Catch', 'QueryLanguage', 'Assign', 'Arguments', 'ResultSelector']) {
      expect(text).not.toContain(`"${field}"`);
    }
  });

  it('ends well in one place, and else where it says who knows more', () => {
    const ends = [...machine.states].filter(([, { type }]) => /^(Succeed|Fail)$/.test(type));
    expect(ends.map(([name]) => name)).toEqual(['Succeeded', 'Ended']);
    expect(machine.states.get('Ended')).toMatchObject({
      cause: expect.stringContaining('GET /api/runs/{n}'),
    });
  });

  it('has no transition that the scripted paths leave out', () => {
    const taken = new Set(
      rolloutPaths.flatMap(({ states }) =>
        states.slice(1).map((state, i) => `${states[i]} → ${state}`),
      ),
    );
    const all = [...machine.states].flatMap(([name, state]) => {
      if (state.type === 'Choice') {
        const next = [...state.choices.map((choice) => choice.next), state.otherwise];
        return next.map((one) => `${name} → ${one}`);
      }
      return 'next' in state ? [`${name} → ${state.next}`] : [];
    });
    expect(all.filter((transition) => !taken.has(transition))).toEqual([]);
  });
});
