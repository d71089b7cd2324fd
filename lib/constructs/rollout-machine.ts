import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Aws, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import type { NodeFunction } from './node-function.ts';
import { rolloutMachineName } from './workflow-access.ts';

/** The functions of its tasks, by the placeholders of `statemachines/rollout.asl.json`. */
export interface RolloutFunctions {
  readonly LintPolicies: NodeFunction;
  readonly ReplayScenarios: NodeFunction;
  readonly AdvanceRun: NodeFunction;
  readonly NotifyPartners: NodeFunction;
}

export interface RolloutMachineProps {
  readonly config: StageConfig;
  readonly functions: RolloutFunctions;
}

const definition = join(import.meta.dirname, '../../statemachines/rollout.asl.json');

/** What drives rollouts, and what a person sees of them in the console. It may call its tasks alone. */
export class RolloutMachine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, { config, functions }: RolloutMachineProps) {
    super(scope, id);
    const arns = Object.entries(functions).map(
      ([name, { function: task }]) => [name, task.functionArn] as const,
    );
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: rolloutMachineName(config),
      stateMachineType: StateMachineType.STANDARD,
      comment: 'One execution for each rollout',
      definitionBody: DefinitionBody.fromString(readFileSync(definition, 'utf8')),
      definitionSubstitutions: {
        ...Object.fromEntries(arns),
        InvokeAndWait: `arn:${Aws.PARTITION}:states:::lambda:invoke.waitForTaskToken`,
      },
      logs: {
        destination: this.#log(config),
        level: LogLevel.ALL,
        // The tokens of who waits for people are among it.
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    this.machine.addToRolePolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: arns.map(([, arn]) => arn),
      }),
    );
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'X-Ray, and what sets up the delivery of the log, know no resources: their actions take ' +
        '`*` alone. test/infra/functions.test.ts holds that nothing else has it.',
    });
  }

  #log(config: StageConfig): LogGroup {
    return new LogGroup(this, 'Log', {
      // Else each state machine takes its place in the one policy that all such logs share, until
      // that is full: https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
      logGroupName: `/aws/vendedlogs/states/${rolloutMachineName(config)}`,
      retention: config.logRetention,
      removalPolicy: config.removalPolicy,
    });
  }
}
