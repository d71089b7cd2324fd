import { CfnOutput, Duration, Fn, Stack, Validations } from 'aws-cdk-lib';
import type { App, StackProps } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { AlarmTopic } from '../constructs/alarm-topic.ts';
import { bundleService } from '../constructs/bundle-service.ts';
import { NodeFunction } from '../constructs/node-function.ts';
import { PagingAlarm } from '../constructs/paging-alarm.ts';
import { serviceStackName } from '../service-spec.ts';
import type { ServiceSpec } from '../service-spec.ts';

interface ServiceStackProps extends StackProps {
  readonly config: StageConfig;
  readonly spec: ServiceSpec;
}

/** The stack of one service, in a stage of the platform. */
export function addService(app: App, config: StageConfig, spec: ServiceSpec): Stack {
  return new ServiceStack(app, serviceStackName(config, spec), { config, spec });
}

/**
 * A service of somebody's own: a function with an address on the internet, which lets nothing in
 * that the gateway has not signed; and what it is told in secret, which is filled in after it is made.
 */
class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { config, spec, ...props }: ServiceStackProps) {
    const { name, tenant } = spec;
    super(scope, id, { description: `Service ${name} of ${tenant}`, ...props });
    const secret = this.#secret(spec);
    const service = new NodeFunction(this, 'Service', {
      config,
      handler: () => bundleService(name, spec.folder),
      description: `Service ${name} of ${tenant}`,
      memoryMb: 1024,
      timeoutS: Math.ceil(spec.timeoutMs / 1000),
      environment: {
        HMS_URL: spec.hmsUrl,
        HMS_TOKEN_URL: spec.tokenUrl,
        HMS_SECRET_ARN: secret.attrId,
      },
      statements: [
        new PolicyStatement({
          actions: ['secretsmanager:GetSecretValue'],
          resources: [secret.attrId],
        }),
      ],
      maxConcurrency: config.serviceConcurrency,
    });
    // Who calls is told by the signature of the gateway, which AWS does not know.
    const { url } = service.function.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    this.#watch(service, config, spec);
    new CfnOutput(this, 'ServiceUrl', { value: reachable(url, config) });
    new CfnOutput(this, 'SecretArn', { value: secret.attrId });
  }

  /** Without a value: what is in a template can be read by whoever may read the stack. */
  #secret({ name, tenant }: ServiceSpec): CfnSecret {
    const secret = new CfnSecret(this, 'Secret', {
      description: `What the service ${name} of ${tenant} shares with HMS`,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'HMS makes what is in it: hms deploy --aws has it changed, each time.',
    });
    return secret;
  }

  #watch(service: NodeFunction, config: StageConfig, { name, tenant, ...spec }: ServiceSpec): void {
    const alarm = {
      stage: config.stage,
      topic: this.#topic(config, spec),
      about: `${tenant}-${name}`,
    };
    const sum = { statistic: Stats.SUM, period: Duration.minutes(5) };
    new PagingAlarm(this, {
      ...alarm,
      name: 'service-crashing',
      what: `The service ${name} of ${tenant} crashed or ran out of time, 5 times in 5 minutes`,
      metric: service.function.metricErrors(sum),
      threshold: 5,
    });
    new PagingAlarm(this, {
      ...alarm,
      name: 'service-throttled',
      what: `Calls of the service ${name} of ${tenant} were turned away, for 10 minutes`,
      metric: service.function.metricThrottles(sum),
      threshold: 1,
      periods: 2,
    });
  }

  #topic(config: StageConfig, { alarmTopicArn }: Pick<ServiceSpec, 'alarmTopicArn'>): ITopic {
    if (alarmTopicArn !== null) return Topic.fromTopicArn(this, 'Topic', alarmTopicArn);
    return new AlarmTopic(this, 'Topic', { key: null, email: config.alarmEmail });
  }
}

/** Without the slash at its end. The emulator has it at a path of its own address. */
function reachable(url: string, { emulatorUrl }: StageConfig): string {
  const host = Fn.select(2, Fn.split('/', url));
  if (emulatorUrl === null) return `https://${host}`;
  return `${emulatorUrl}/_aws/lambda-url/${Fn.select(0, Fn.split('.', host))}`;
}
