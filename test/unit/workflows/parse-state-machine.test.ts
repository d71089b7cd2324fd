import { describe, expect, it } from 'vitest';

import { parseStateMachine } from '../../../src/adapters/local/parse-state-machine.ts';
import type { Json } from '../../../src/core/values/json.ts';

const retrier = {
  ErrorEquals: ['Unavailable'],
  IntervalSeconds: 1,
  BackoffRate: 1.5,
  MaxDelaySeconds: 60,
  MaxAttempts: 20,
  JitterStrategy: 'FULL',
};
const task = {
  Type: 'Task',
  Resource: '${LintPolicies}',
  Parameters: { task: 'lint', 'tenant.$': '$.tenant' },
  ResultPath: '$.step',
  TimeoutSeconds: 60,
  Retry: [retrier],
};
const valid = {
  Comment: 'all that there is',
  StartAt: 'Lint',
  TimeoutSeconds: 600,
  States: {
    Lint: { ...task, Next: 'Linted?' },
    'Linted?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.step.status', StringEquals: 'passed', Next: 'Later' }],
      Default: 'Ended',
    },
    Later: { Type: 'Wait', SecondsPath: '$.step.waitSeconds', Next: 'Each' },
    Each: {
      Type: 'Map',
      ItemsPath: '$.step.batches',
      MaxConcurrency: 5,
      ItemSelector: { 'batch.$': '$$.Map.Item.Value' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'INLINE' },
        StartAt: 'One',
        States: { One: { ...task, End: true } },
      },
      ResultPath: null,
      Next: 'Ask',
    },
    Ask: {
      ...task,
      Resource: '${InvokeAndWait}',
      Parameters: {
        FunctionName: '${AdvanceRun}',
        Payload: { task: 'ask', 'token.$': '$$.Task.Token' },
      },
      Next: 'Succeeded',
    },
    Succeeded: { Type: 'Succeed' },
    Ended: { Type: 'Fail', Error: 'Ended', Cause: 'It ended.' },
  },
};

type Mutable = { [key: string]: Mutable };

/** `valid` with the value at this place replaced, or taken out. */
function changed(place: string, value?: unknown): Json {
  const copy = structuredClone(valid) as unknown as Mutable;
  const names = place.split('/').slice(1);
  const last = names.pop() ?? '';
  let at = copy;
  for (const name of names) at = at[name] ?? {};
  if (value === undefined) delete at[last];
  else at[last] = value as Mutable;
  return copy;
}

const lint = '/States/Lint';
const each = '/States/Each';

describe('parseStateMachine', () => {
  it('takes all that is used', () => {
    const { startAt, states, timeoutMs } = parseStateMachine(valid);
    expect([startAt, timeoutMs]).toEqual(['Lint', 600_000]);
    expect(states.get('Lint')).toEqual({
      type: 'Task',
      task: 'lint',
      input: { task: 'lint', 'tenant.$': '$.tenant' },
      waitsForToken: false,
      resultName: 'step',
      timeoutMs: 60_000,
      next: 'Linted?',
      retry: [
        {
          errors: ['Unavailable'],
          intervalMs: 1000,
          backoffRate: 1.5,
          maxDelayMs: 60_000,
          maxAttempts: 20,
          jitter: true,
        },
      ],
    });
    const input = { task: 'ask', 'token.$': '$$.Task.Token' };
    expect(states.get('Ask')).toMatchObject({ task: 'ask', input, waitsForToken: true });
  });

  it.each<[string, string, unknown?]>([
    // What is missing.
    ['/StartAt', '/StartAt must be a string'],
    ['/States', '/States must be an object'],
    ['/TimeoutSeconds', '/TimeoutSeconds must be a number'],
    [`${lint}/Resource`, `${lint}/Resource must be a string`],
    [`${lint}/Parameters/task`, `${lint}/Parameters/task must be a string`],
    [`${lint}/TimeoutSeconds`, `${lint}/TimeoutSeconds must be a number`],
    [`${lint}/Retry`, `${lint}/Retry must be a list of at least one`],
    [`${lint}/ResultPath`, `${lint}/ResultPath must be a string`],
    [`${lint}/Next`, `${lint} must have either a Next or "End": true`],
    ['/States/Linted?/Default', '/States/Linted?/Default must be a string'],
    [`${each}/ItemProcessor/ProcessorConfig`, `${each}/ItemProcessor/ProcessorConfig must be an`],
    ['/States/Ask/Parameters/Payload', '/States/Ask/Parameters/Payload must be an object'],
    ['/States/Ended/Cause', '/States/Ended/Cause must be a string'],
    // What Step Functions knows, and this does not.
    ['/QueryLanguage', '/QueryLanguage is not supported', 'JSONata'],
    [`${lint}/Catch`, `${lint}/Catch is not supported`, []],
    [`${lint}/InputPath`, `${lint}/InputPath is not supported`, '$.a'],
    [`${lint}/Retry/0/Comment`, `${lint}/Retry/0/Comment is not supported`, ''],
    ['/States/Later/Seconds', '/States/Later/Seconds is not supported', 5],
    [`${lint}/Type`, `${lint}/Type must be Task, Map, Choice, Wait, Succeed or Fail`, 'Parallel'],
    [`${lint}/ResultPath`, `${lint}/ResultPath must be $.name, or null`, '$'],
    [`${lint}/Parameters/at.$`, `${lint}/Parameters/at.$ must be a path`, 'States.UUID()'],
    [`${lint}/Parameters/at.$`, `${lint}/Parameters/at.$ must be a path`, '$.list[0]'],
    [`${lint}/Parameters/at.$`, `${lint}/Parameters/at.$ must be a path`, '$.__proto__'],
    [`${lint}/Parameters/list`, `${lint}/Parameters/list must not be a list`, []],
    [`${lint}/Retry/0/ErrorEquals`, 'ErrorEquals/0 must be the name of one', ['States.ALL']],
    [`${lint}/Retry/0/ErrorEquals`, 'ErrorEquals/0 must be the name of', ['States.TaskFailed']],
    [`${lint}/Retry/0/JitterStrategy`, 'JitterStrategy must be FULL or NONE', 'SOME'],
    [`${each}/ItemProcessor/ProcessorConfig/Mode`, 'Mode must be INLINE', 'DISTRIBUTED'],
    [`${each}/ResultPath`, `${each}/ResultPath must be null`, '$.replayed'],
    ['/States/Linted?/Choices/0/IsPresent', 'IsPresent is not supported', true],
    // What is wrong.
    [`${lint}/Resource`, `${lint}/Resource must be a \${Placeholder}`, 'arn:aws:lambda:x'],
    [`${lint}/TimeoutSeconds`, `${lint}/TimeoutSeconds must be a number from 1`, 0],
    [`${lint}/TimeoutSeconds`, `${lint}/TimeoutSeconds must be a whole number`, 1.5],
    [`${lint}/TimeoutSeconds`, `${lint}/TimeoutSeconds must be a number from 1`, 1e9],
    [`${lint}/Retry/0/BackoffRate`, `${lint}/Retry/0/BackoffRate must be a number from 1`, 0.5],
    [`${each}/MaxConcurrency`, `${each}/MaxConcurrency must be a number from 1`, 0],
    [`${lint}/End`, `${lint} must have either a Next or "End": true`, true],
    ['/StartAt', "/StartAt names 'Nowhere', which is no state", 'Nowhere'],
    [`${lint}/Next`, "/States/Lint names 'Nowhere', which is no state", 'Nowhere'],
    ['/States/Linted?/Default', "/States/Linted? names 'toString', which is", 'toString'],
    ['/States/Unused', '/States/Unused is never reached', { Type: 'Succeed' }],
    [`${each}/ItemProcessor/StartAt`, "StartAt names 'Succeeded', which is no state", 'Succeeded'],
  ])('refuses %s: %s', (place, message, value) => {
    expect(() => parseStateMachine(changed(place, value))).toThrow(message);
  });

  it.each([null, [], 'text', 1])('refuses %j', (definition) => {
    expect(() => parseStateMachine(definition)).toThrow('(the whole) must be an object');
  });

  it('refuses maps within maps within maps', () => {
    const nest = (depth: number): Json => ({
      ...valid.States.Each,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'INLINE' },
        StartAt: 'One',
        States: { One: depth === 0 ? { ...task, End: true } : nest(depth - 1) },
      },
      Next: undefined as never,
      End: true,
    });
    const definition = JSON.parse(JSON.stringify(changed(each, nest(1000))));
    expect(() => parseStateMachine(definition)).toThrow('is nested too deep');
  });
});
