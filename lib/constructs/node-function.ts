import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { bundleHandler } from './bundle-handler.ts';
import type { Bundle } from './bundle-handler.ts';

/** What all functions run on. */
const runtime = Runtime.NODEJS_24_X;
const architecture = Architecture.ARM_64;

const logLevels = {
  debug: ApplicationLogLevel.DEBUG,
  info: ApplicationLogLevel.INFO,
  warn: ApplicationLogLevel.WARN,
} as const;

export interface NodeFunctionProps {
  readonly config: StageConfig;
  /** `lambdas/<handler>.ts`, which exports `handler`; or what makes another bundle that does. */
  readonly handler: string | (() => Bundle);
  readonly description: string;
  /** Also the share of a processor: 1769 MB is a whole one. */
  readonly memoryMb: number;
  readonly timeoutS: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** All that it may do, but for writing its log and its traces. */
  readonly statements?: readonly PolicyStatement[];
  /** Files of the checkout that belong beside the code, in `assets/`. */
  readonly assets?: readonly string[];
  /** An upper bound that is also set aside for it. */
  readonly maxConcurrency?: number | null;
}

/** Where the metrics of a stage are that its functions write. */
export function metricsNamespace({ stage }: StageConfig): string {
  return `hms-${stage}`;
}

/** One Lambda function: its code, its log and a role of its own that allows what is stated. */
export class NodeFunction extends Construct {
  readonly function: Function;
  readonly log: LogGroup;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const { config } = props;
    this.log = new LogGroup(this, 'Log', {
      retention: config.logRetention,
      removalPolicy: config.removalPolicy,
    });
    const role = this.#role(this.log, props.statements ?? []);
    this.function = new Function(this, 'Function', {
      runtime,
      architecture,
      role,
      logGroup: this.log,
      code: this.#code(props),
      handler: 'index.handler',
      description: props.description,
      memorySize: props.memoryMb,
      timeout: Duration.seconds(props.timeoutS),
      environment: {
        ...props.environment,
        HMS_LOG_LEVEL: config.logLevel,
        HMS_METRICS_NAMESPACE: metricsNamespace(config),
      },
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: logLevels[config.logLevel],
      ...(typeof props.maxConcurrency === 'number'
        ? { reservedConcurrentExecutions: props.maxConcurrency }
        : {}),
    });
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason:
          'X-Ray, which CDK allows for tracing, knows no resources: its actions take `*` alone. ' +
          'test/infra/functions.test.ts holds that nothing else has it.',
      },
      {
        id: 'Serverless-LambdaDLQ',
        reason:
          'It is for asynchronous calls. The API, Cognito, the queues of jobs and the state machine ' +
          'call and wait; the stream of the relay and the schedules have on-failure destinations, ' +
          'which tell more.',
      },
    );
  }

  /** Not bundled when it is not needed: for `cdk destroy` and `cdk list`, and in tests of templates. */
  #code({ handler, assets }: NodeFunctionProps): Code {
    if (!Stack.of(this).bundlingRequired) return Code.fromInline('// not bundled');
    const bundle = typeof handler === 'string' ? bundleHandler(handler, assets) : handler();
    return Code.fromAsset(bundle.folder);
  }

  /** Instead of AWSLambdaBasicExecutionRole, which may write to every log of the account. */
  #role(logGroup: LogGroup, statements: readonly PolicyStatement[]): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    const writeLog = new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    });
    for (const statement of [writeLog, ...statements]) role.addToPolicy(statement);
    return role;
  }
}
