import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';

/** What the port `WorkflowEngine` is asked for. */
export type WorkflowNeed = 'start' | 'signal' | 'status';

/** By convention: its tasks start and wake executions, and so are made before it. */
export function rolloutMachineName({ stage }: StageConfig): string {
  return `hms-${stage}-rollout`;
}

export function rolloutMachineArn(scope: Construct, config: StageConfig): string {
  return statesArn(scope, 'stateMachine', rolloutMachineName(config));
}

function executionsArn(scope: Construct, config: StageConfig): string {
  return `${statesArn(scope, 'execution', rolloutMachineName(config))}:*`;
}

function statesArn(scope: Construct, resource: string, resourceName: string): string {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  return Stack.of(scope).formatArn({ service: 'states', resource, resourceName, arnFormat });
}

/**
 * Rights on the executions of this stage's rollouts alone. IAM's reference names no resource for
 * `SendTaskSuccess`, yet the service asks for it on the token's state machine, as CDK's own
 * `grantTaskResponse` has it: https://github.com/aws/aws-cdk/pull/8486
 */
export function workflowAccess(
  scope: Construct,
  config: StageConfig,
  needs: readonly WorkflowNeed[],
): PolicyStatement[] {
  const machine = rolloutMachineArn(scope, config);
  const statement = (action: string, resource: string) =>
    new PolicyStatement({ actions: [`states:${action}`], resources: [resource] });
  return [
    ...(needs.includes('start') ? [statement('StartExecution', machine)] : []),
    ...(needs.includes('signal') ? [statement('SendTaskSuccess', machine)] : []),
    ...(needs.includes('status')
      ? [statement('DescribeExecution', executionsArn(scope, config))]
      : []),
  ];
}

/** For a function with the right to ask for the status of executions. */
export function acknowledgeAllExecutions(worker: Construct, config: StageConfig): void {
  const executions = `execution:${rolloutMachineName(config)}:*`;
  Validations.of(worker).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:${executions}]`,
    reason: 'The executions of one state machine: each run has one of its own, named after it.',
  });
}
