import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { AlarmTopic } from '../constructs/alarm-topic.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import { metricsNamespace } from '../constructs/node-function.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { PagingAlarm } from '../constructs/paging-alarm.ts';
import type { PagingAlarmProps } from '../constructs/paging-alarm.ts';
import type { ApiStack } from './api-stack.ts';
import type { DataStack } from './data-stack.ts';
import type { EventsStack } from './events-stack.ts';
import type { IdentityStack } from './identity-stack.ts';
import type { RolloutStack } from './rollout-stack.ts';

interface Watched {
  readonly data: DataStack;
  readonly identity: IdentityStack;
  readonly api: ApiStack;
  readonly events: EventsStack;
  readonly rollout: RolloutStack;
}

export interface WatchStackProps extends StackProps, Watched {
  readonly config: StageConfig;
}

/** Fewer requests than this in ten minutes are not judged by their share of failures. */
const minRequests = 20;

/** Far more than people roll out in a day, and far less than the reconciler can look after. */
const maxOpenRuns = 500;

type Ring = Omit<PagingAlarmProps, 'stage' | 'topic'>;

/** Every alarm; each has an entry in docs/runbook.md. */
export class WatchStack extends Stack {
  readonly #config: StageConfig;
  readonly #topic: ITopic;

  constructor(scope: Construct, id: string, props: WatchStackProps) {
    const { config, data, identity, api, events, rollout, ...stackProps } = props;
    super(scope, id, stackProps);
    this.#config = config;
    this.#topic = new AlarmTopic(this, 'Topic', {
      key: data.store.key,
      email: config.alarmEmail,
    });
    this.#watchApi(api);
    this.#watchWrites({ api, identity, data });
    this.#watchEvents(events);
    this.#watchRollouts(rollout);
    new CfnOutput(this, 'AlarmTopicArn', { value: this.#topic.topicArn });
  }

  #watchApi({ api }: ApiStack): void {
    const stage = api.deploymentStage;
    const period = Duration.minutes(10);
    this.#ring({
      name: 'requests-failing',
      what: '5 % of all requests over 10 minutes ended in a 5xx',
      metric: new MathExpression({
        expression: `IF(requests >= ${minRequests}, 100 * failures / requests, 0)`,
        usingMetrics: {
          requests: stage.metricCount({ period }),
          failures: stage.metricServerError({ period }),
        },
        label: 'failed requests, %',
        period,
      }),
      threshold: 5,
    });
    this.#ring({
      name: 'reads-slow',
      what: 'One in a hundred reads of a rule took a second or more, for 15 minutes',
      metric: new Metric({
        namespace: 'AWS/ApiGateway',
        metricName: 'Latency',
        dimensionsMap: {
          ApiName: api.restApiName,
          Stage: stage.stageName,
          Method: 'GET',
          Resource: '/api/policies/{id}',
        },
        statistic: Stats.percentile(99),
        period: Duration.minutes(5),
      }),
      threshold: 1000,
      periods: 3,
    });
  }

  #watchWrites({ api, identity, data }: Pick<Watched, 'api' | 'identity' | 'data'>): void {
    this.#ring({
      name: 'writes-failing',
      what: 'The function that changes policies crashed or ran out of time',
      metric: errors(api.functions.changes),
      threshold: 1,
    });
    this.#ring({
      name: 'writes-throttled',
      what: 'DynamoDB turned writes away, for 10 minutes',
      metric: data.store.table.metric('WriteThrottleEvents', sumOf5Min),
      threshold: 1,
      periods: 2,
    });
    this.#ring({
      name: 'tokens-failing',
      what: 'The trigger that puts the tenant into tokens fails, so nobody gets one',
      metric: errors(identity.claimsFunction),
      threshold: 1,
    });
  }

  #watchEvents({ relay, sweep, deadLetters }: EventsStack): void {
    this.#ring({
      name: 'relay-behind',
      what: 'A journal entry has waited a minute for the relay',
      metric: relay.function.metric('IteratorAge', {
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 60_000,
      periods: 3,
    });
    this.#ring({
      name: 'relay-failing',
      what: 'The relay from the journal to the event bus failed, for 10 minutes',
      metric: errors(relay),
      threshold: 1,
      periods: 2,
    });
    this.#ring({
      name: 'sweep-failing',
      what: 'The sweep that runs every minute failed three times in five minutes',
      metric: errors(sweep),
      threshold: 3,
    });
    this.#ring({
      name: 'dead-letters',
      what: 'A delivery failed for good and waits for someone to look at it',
      metric: waiting(deadLetters),
      threshold: 1,
    });
  }

  #watchRollouts({ lostRuns, functions, reconciler, deadLetters }: RolloutStack): void {
    this.#ring({
      name: 'runs-lost',
      what: 'The process of a rollout failed, ran out of time or was stopped, and its run was closed',
      metric: lostRuns.with(sumOf5Min),
      threshold: 1,
    });
    this.#ring({
      name: 'rollout-tasks-failing',
      what: 'A task of rollouts crashed or ran out of time, 5 times in 10 minutes',
      metric: new MathExpression({
        expression: 'lint + replay + advance + notify',
        usingMetrics: {
          lint: errors(functions.LintPolicies),
          replay: errors(functions.ReplayScenarios),
          advance: errors(functions.AdvanceRun),
          notify: errors(functions.NotifyPartners),
        },
        label: 'failed attempts',
        period: Duration.minutes(10),
      }),
      threshold: 5,
    });
    this.#ring({
      name: 'runs-piling-up',
      what: `${maxOpenRuns} rollouts have been open for an hour`,
      metric: new Metric({
        namespace: metricsNamespace(this.#config),
        metricName: 'hms_runs_open',
        statistic: Stats.MINIMUM,
        period: Duration.hours(1),
      }),
      threshold: maxOpenRuns,
    });
    this.#ring({
      name: 'reconciler-failing',
      what: 'The reconciler that runs every minute failed three times in five minutes',
      metric: errors(reconciler),
      threshold: 3,
    });
    this.#ring({
      name: 'rollout-dead-letters',
      what: 'A call of the reconciler failed and waits for someone to look at it',
      metric: waiting(deadLetters),
      threshold: 1,
    });
  }

  #ring(alarm: Ring): void {
    new PagingAlarm(this, { ...alarm, stage: this.#config.stage, topic: this.#topic });
  }
}

const sumOf5Min = { statistic: Stats.SUM, period: Duration.minutes(5) };

function errors(watched: NodeFunction): IMetric {
  return watched.function.metricErrors(sumOf5Min);
}

function waiting(queue: DeadLetters): IMetric {
  return queue.metricApproximateNumberOfMessagesVisible({
    statistic: Stats.MAXIMUM,
    period: Duration.minutes(1),
  });
}
