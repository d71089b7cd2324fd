import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { AlarmMath } from '../constructs/alarm-math.ts';
import { AlarmTopic } from '../constructs/alarm-topic.ts';
import { Dashboard } from '../constructs/dashboard.ts';
import { jobPriorities } from '../constructs/job-queues.ts';
import type { TypeQueues } from '../constructs/job-queues.ts';
import { metricsNamespace } from '../constructs/node-function.ts';
import { PagingAlarm } from '../constructs/paging-alarm.ts';
import type { PagingAlarmProps } from '../constructs/paging-alarm.ts';
import { pushAlarms } from '../constructs/push-alarms.ts';
import { errors, sumOf5Min, waiting } from '../constructs/watched-metrics.ts';
import type { ApiStack } from './api-stack.ts';
import type { DataStack } from './data-stack.ts';
import type { EventsStack } from './events-stack.ts';
import type { IdentityStack } from './identity-stack.ts';
import type { JobsStack } from './jobs-stack.ts';
import type { PushStack } from './push-stack.ts';
import type { RolloutStack } from './rollout-stack.ts';
import type { ServicesStack } from './services-stack.ts';

interface Watched {
  readonly data: DataStack;
  readonly identity: IdentityStack;
  readonly jobs: JobsStack;
  readonly push: PushStack;
  readonly api: ApiStack;
  readonly events: EventsStack;
  readonly rollout: RolloutStack;
  readonly services: ServicesStack;
}

export interface WatchStackProps extends StackProps, Watched {
  readonly config: StageConfig;
}

/** Far more than people roll out in a day, and far less than the reconciler can look after. */
const maxOpenRuns = 500;

/** A queue hands out nothing more at 120 000: then those that wait stand in the way of all others. */
const maxHiddenJobs = 100_000;

type Ring = Omit<PagingAlarmProps, 'stage' | 'topic'>;

/**
 * Every alarm, each with an entry in docs/runbook.md; and a page that shows how a stage is. What pages
 * people is ours to mend; that a service of a tenant fails is not, and goes to a topic of its own.
 */
export class WatchStack extends Stack {
  readonly #config: StageConfig;
  readonly #topic: ITopic;
  readonly #notices: ITopic;
  readonly #math: AlarmMath;

  constructor(scope: Construct, id: string, props: WatchStackProps) {
    const { config, data, identity, jobs, push, api, events, rollout, services, ...stackProps } =
      props;
    super(scope, id, stackProps);
    this.#config = config;
    this.#math = new AlarmMath(config);
    this.#topic = new AlarmTopic(this, 'Topic', {
      key: data.store.key,
      email: config.alarmEmail,
    });
    this.#notices = new AlarmTopic(this, 'Notices', { key: data.store.key, email: null });
    this.#watchApi(api);
    this.#watchWrites({ api, identity, data });
    this.#watchEvents(events);
    this.#watchRollouts(rollout);
    this.#watchJobs(jobs);
    for (const queues of jobs.queues.types) this.#watchJobQueues(queues);
    this.#watchServices(services, api);
    for (const alarm of pushAlarms(push.functions, push.push)) this.#ring(alarm);
    this.#show(props);
    new CfnOutput(this, 'AlarmTopicArn', { value: this.#topic.topicArn });
    new CfnOutput(this, 'NoticeTopicArn', { value: this.#notices.topicArn });
  }

  #watchApi({ api }: ApiStack): void {
    const stage = api.deploymentStage;
    this.#ring({
      name: 'requests-failing',
      what: '5 % of all requests over 10 minutes ended in a 5xx of ours',
      metric: this.#math.failedRequests(stage),
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

  #watchJobs({ workers, reconciler, deadLetters }: JobsStack): void {
    for (const { type, function: worker } of workers) {
      const about = nameOf(type);
      this.#ring({
        name: 'jobs-late',
        about,
        what: `A job of type ${type} has waited for a worker for a quarter of an hour`,
        metric: this.#ofJobs('hms_jobs_oldest_age_ms', { type }).with({
          statistic: Stats.MINIMUM,
          period: Duration.minutes(5),
        }),
        threshold: 900_000,
      });
      this.#ring({
        name: 'jobs-dead',
        about,
        what: `A job of type ${type} has failed for good`,
        metric: this.#ofJobs('hms_jobs_ended_total', { type, outcome: 'dead' }).with(sumOf5Min),
        threshold: 1,
      });
      this.#ring({
        name: 'job-workers-failing',
        about,
        what: `The function that works on jobs of type ${type} crashed or ran out of time`,
        metric: errors(worker),
        threshold: 1,
      });
    }
    this.#ring({
      name: 'job-reconciler-failing',
      what: 'The reconciler of jobs, which runs every minute, failed three times in five minutes',
      metric: errors(reconciler),
      threshold: 3,
    });
    this.#ring({
      name: 'job-dead-letters',
      about: 'reconciler',
      what: 'A call of the reconciler of jobs failed and waits for someone to look at it',
      metric: waiting(deadLetters),
      threshold: 1,
    });
  }

  #watchJobQueues({ type, byPriority, deadLetters }: TypeQueues): void {
    const about = nameOf(type);
    const period = Duration.minutes(5);
    for (const priority of jobPriorities) {
      const queue = byPriority[priority];
      this.#ring({
        name: 'jobs-not-taken',
        about: `${about}-${priority}`,
        what: `Jobs of type ${type}, priority ${priority}, can be taken, and nobody takes any`,
        // Its age alone would also tell of jobs that are hidden until their time has come.
        metric: new MathExpression({
          expression: 'IF(waiting > 0 AND FILL(taken, 0) == 0, age, 0)',
          usingMetrics: {
            waiting: queue.metricApproximateNumberOfMessagesVisible({
              statistic: Stats.MINIMUM,
              period,
            }),
            taken: queue.metricNumberOfMessagesReceived(sumOf5Min),
            age: queue.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM, period }),
          },
          label: 'age of the oldest, s',
          period,
        }),
        threshold: 300,
      });
      this.#ring({
        name: 'job-queue-full',
        about: `${about}-${priority}`,
        what: `${maxHiddenJobs} jobs of type ${type}, priority ${priority}, are under way or hidden`,
        metric: queue.metricApproximateNumberOfMessagesNotVisible({
          statistic: Stats.MAXIMUM,
          period,
        }),
        threshold: maxHiddenJobs,
      });
    }
    this.#ring({
      name: 'job-dead-letters',
      about,
      what: `A job of type ${type} was handed out far too often`,
      metric: waiting(deadLetters),
      threshold: 1,
    });
  }

  #watchServices({ prober, deadLetters }: ServicesStack, { functions }: ApiStack): void {
    this.#ring({
      name: 'prober-failing',
      what: 'The prober of services, which is called every minute, failed three times in five minutes',
      metric: errors(prober),
      threshold: 3,
    });
    this.#ring({
      name: 'prober-dead-letters',
      what: 'A call of the prober failed and waits for someone to look at it',
      metric: waiting(deadLetters),
      threshold: 1,
    });
    this.#ring({
      name: 'gateway-failing',
      what: 'The function that calls services crashed or ran out of time, 5 times in 5 minutes',
      metric: this.#math.failedGatewayCalls(errors(functions.gateway)),
      threshold: 5,
    });
    this.#ring({
      name: 'most-services-red',
      what: 'Half of all services have been red for 10 minutes, of all tenants',
      metric: this.#math.redServices(),
      threshold: 50,
      periods: 2,
    });
    // Its owners look at it, by `GET /health`; nobody is called at night.
    new PagingAlarm(this, {
      stage: this.#config.stage,
      topic: this.#notices,
      name: 'services-failing',
      what: '5 % of the calls of services over 10 minutes failed, of all tenants',
      metric: this.#math.failedServiceCalls(),
      threshold: 5,
    });
  }

  #show(props: WatchStackProps): void {
    const { config, data, identity, jobs, push, api, events, rollout, services } = props;
    new Dashboard(this, 'Dashboard', {
      config,
      stage: api.api.deploymentStage,
      parts: api.functions,
      relay: events.relay,
      workers: {
        'token claims': identity.claimsFunction,
        sweep: events.sweep,
        ...rollout.functions,
        'run reconciler': rollout.reconciler,
        ...Object.fromEntries(jobs.workers.map((worker) => [worker.type, worker.function])),
        'job reconciler': jobs.reconciler,
        prober: services.prober,
        frames: push.functions.frames,
        push: push.functions.changes,
      },
      deadLetters: {
        events: events.deadLetters,
        'run reconciler': rollout.deadLetters,
        ...Object.fromEntries(jobs.queues.types.map((each) => [each.type, each.deadLetters])),
        'job reconciler': jobs.deadLetters,
        prober: services.deadLetters,
        push: push.push.deadLetters,
      },
      table: data.store.table,
    });
  }

  #ofJobs(metricName: string, dimensionsMap: Record<string, string>): Metric {
    return new Metric({ namespace: metricsNamespace(this.#config), metricName, dimensionsMap });
  }

  #ring(alarm: Ring): void {
    new PagingAlarm(this, { ...alarm, stage: this.#config.stage, topic: this.#topic });
  }
}

/** What an alarm may be called after: `pothole-report`. */
function nameOf(type: string): string {
  return type.replaceAll('.', '-');
}
