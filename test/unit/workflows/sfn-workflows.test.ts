import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ExecutionLimitExceeded,
  ExecutionStatus,
  InvalidOutput,
  InvalidToken,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';

import { sfnWorkflows } from '../../../src/adapters/aws/sfn-workflows.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';

const stateMachineArn = 'arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:Rollout';
const given = { message: 'no', $metadata: {} };
const throttled = Object.assign(new Error('no'), { name: 'ThrottlingException' });

function setUp() {
  const client = new SFNClient({ region: 'us-east-1' });
  return { mock: mockClient(client), engine: sfnWorkflows({ client, stateMachineArn }) };
}

describe('start', () => {
  it('sends the name and the input', async () => {
    const { mock, engine } = setUp();
    mock.on(StartExecutionCommand).resolves({});
    await engine.start('demo-184', { tenant: 'demo', run: 184 });
    const input = '{"tenant":"demo","run":184}';
    expect(mock.call(0).args[0].input).toEqual({ stateMachineArn, name: 'demo-184', input });
  });

  it('does nothing under the name of one that was started', async () => {
    const { mock, engine } = setUp();
    mock.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists(given));
    await expect(engine.start('demo-184', null)).resolves.toBeUndefined();
  });

  it('sends nothing that breaks a limit', async () => {
    const { mock, engine } = setUp();
    await expect(engine.start('demo#184', null)).rejects.toThrow(RangeError);
    await expect(engine.start('demo-184', 'x'.repeat(32_767))).rejects.toThrow(RangeError);
    expect(mock.calls()).toHaveLength(0);
  });

  it.each([throttled, new ExecutionLimitExceeded(given)])('is Unavailable at $name', async (e) => {
    const { mock, engine } = setUp();
    mock.on(StartExecutionCommand).rejects(e);
    await expect(engine.start('demo-184', null)).rejects.toThrow(Unavailable);
  });

  it('passes on what is a defect', async () => {
    const { mock, engine } = setUp();
    mock.on(StartExecutionCommand).rejects(new StateMachineDoesNotExist(given));
    await expect(engine.start('demo-184', null)).rejects.toThrow(StateMachineDoesNotExist);
  });
});

describe('signal', () => {
  it('sends the result to who waits', async () => {
    const { mock, engine } = setUp();
    mock.on(SendTaskSuccessCommand).resolves({});
    expect(await engine.signal('token', { status: 'rollout' })).toBe('delivered');
    const output = '{"status":"rollout"}';
    expect(mock.call(0).args[0].input).toEqual({ taskToken: 'token', output });
  });

  it.each([new TaskTimedOut(given), new TaskDoesNotExist(given), new InvalidToken(given)])(
    'finds nobody at $name',
    async (error) => {
      const { mock, engine } = setUp();
      mock.on(SendTaskSuccessCommand).rejects(error);
      expect(await engine.signal('token', null)).toBe('gone');
    },
  );

  it('is Unavailable when throttled, and passes on what is a defect', async () => {
    const { mock, engine } = setUp();
    mock.on(SendTaskSuccessCommand).rejectsOnce(throttled).rejects(new InvalidOutput(given));
    await expect(engine.signal('token', null)).rejects.toThrow(Unavailable);
    await expect(engine.signal('token', null)).rejects.toThrow(InvalidOutput);
  });
});

describe('status', () => {
  it.each(Object.values(ExecutionStatus))('tells of %s', async (status) => {
    const { mock, engine } = setUp();
    mock.on(DescribeExecutionCommand).resolves({ status });
    expect(await engine.status('demo-184')).toBe(status === 'RUNNING' ? 'running' : 'ended');
    expect(mock.call(0).args[0].input).toEqual({
      executionArn: 'arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:Rollout:demo-184',
    });
  });

  it('does not know what never was, and is Unavailable when throttled', async () => {
    const { mock, engine } = setUp();
    const command = mock.on(DescribeExecutionCommand);
    command.rejectsOnce(new ExecutionDoesNotExist(given)).rejects(throttled);
    expect(await engine.status('demo-184')).toBe('unknown');
    await expect(engine.status('demo-184')).rejects.toThrow(Unavailable);
  });
});

it.each([
  '',
  'Rollout',
  `${stateMachineArn}:3`,
  stateMachineArn.replace('stateMachine', 'express'),
])('refuses %j as the ARN of a state machine', (bad) => {
  const client = new SFNClient({ region: 'us-east-1' });
  expect(() => sfnWorkflows({ client, stateMachineArn: bad })).toThrow('is not the ARN');
});
