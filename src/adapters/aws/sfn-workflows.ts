import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ExecutionLimitExceeded,
  InvalidToken,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import type { SFNClient } from '@aws-sdk/client-sfn';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { WorkflowEngine } from '../../ports/workflow-engine.ts';
import { checkStart } from '../runtime/workflow-limits.ts';
import { awsError } from './aws-error.ts';

export interface SfnWorkflowsOptions {
  readonly client: SFNClient;
  /** The ARN of a standard state machine, without a version or an alias. */
  readonly stateMachineArn: string;
}

/**
 * A `WorkflowEngine` on Step Functions. Step Functions forgets a process 90 days after its end.
 * Errors: those of the port; an `Error` at once when the ARN is none of a state machine.
 */
export function sfnWorkflows({ client, stateMachineArn }: SfnWorkflowsOptions): WorkflowEngine {
  const executions = executionsOf(stateMachineArn);
  return {
    async start(name, input) {
      const command = new StartExecutionCommand({
        stateMachineArn,
        name,
        input: checkStart(name, input),
      });
      try {
        await client.send(command);
      } catch (error) {
        // It runs with another input, or has ended.
        if (error instanceof ExecutionAlreadyExists) return;
        throw workflowError(error);
      }
    },

    async signal(taskToken, result) {
      const output = JSON.stringify(result);
      try {
        await client.send(new SendTaskSuccessCommand({ taskToken, output }));
        return 'delivered';
      } catch (error) {
        if (isGone(error)) return 'gone';
        throw workflowError(error);
      }
    },

    async status(name) {
      const executionArn = `${executions}:${name}`;
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
        return status === 'RUNNING' ? 'running' : 'ended';
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return 'unknown';
        throw workflowError(error);
      }
    },
  };
}

function executionsOf(stateMachineArn: string): string {
  const match = /^(arn:[\w-]+:states:[\w-]+:\d{12}):stateMachine:([^:]+)$/.exec(stateMachineArn);
  if (match === null) throw new Error(`'${stateMachineArn}' is not the ARN of a state machine.`);
  return `${match[1]}:execution:${match[2]}`;
}

function isGone(error: unknown): boolean {
  return (
    error instanceof TaskTimedOut ||
    error instanceof TaskDoesNotExist ||
    error instanceof InvalidToken
  );
}

function workflowError(error: unknown): unknown {
  if (error instanceof ExecutionLimitExceeded) {
    return new Unavailable('Too many workflows run. Try again.', error);
  }
  return awsError(error, 'The workflow engine');
}
