import { Duration } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import {
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  MathExpression,
  Metric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

import type { Part } from '../../src/contract/operation.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { workerTypes } from '../../src/contract/worker-types.ts';
import type { StageConfig } from '../config.ts';
import type { ApiFunctions } from './api-functions.ts';
import type { DeadLetters } from './dead-letters.ts';
import { metricsNamespace } from './node-function.ts';
import type { NodeFunction } from './node-function.ts';

export interface DashboardProps {
  readonly config: StageConfig;
  /** Of the API. */
  readonly stage: Stage;
  readonly parts: ApiFunctions;
  readonly relay: NodeFunction;
  /** All others that run in the background, by what the graphs call them. */
  readonly workers: Readonly<Record<string, NodeFunction>>;
  readonly deadLetters: Readonly<Record<string, DeadLetters>>;
  readonly table: ITable;
}

const period = Duration.minutes(5);
const sum = { statistic: Stats.SUM, period };
const maximum = { statistic: Stats.MAXIMUM, period };

/** A row has 24 columns. */
const third = { width: 8, height: 6 };

/** How a stage is, on one page: what is asked of it, what waits, and what fails. */
export class Dashboard extends Construct {
  readonly #props: DashboardProps;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    this.#props = props;
    const { stage } = props.config;
    new CloudWatchDashboard(this, 'Page', {
      dashboardName: `hms-${stage}`,
      defaultInterval: Duration.hours(3),
      widgets: [
        this.#requests(),
        this.#byPart(),
        this.#journalAndRuns(),
        this.#jobs(),
        this.#services(),
        this.#faults(),
      ],
    });
  }

  #requests(): GraphWidget[] {
    const { stage, table } = this.#props;
    const latency = (percent: number) =>
      stage.metricLatency({ statistic: Stats.percentile(percent), period, label: `p${percent}` });
    return [
      graph('Requests', [
        stage.metricCount({ ...sum, label: 'all' }),
        stage.metricClientError({ ...sum, label: '4xx' }),
        stage.metricServerError({ ...sum, label: '5xx' }),
      ]),
      graph('Latency, ms', [50, 90, 99].map(latency)),
      graph(
        'DynamoDB: what it turned away',
        ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) =>
          table.metric(name, { ...sum, label: name }),
        ),
        ['ConsumedReadCapacityUnits', 'ConsumedWriteCapacityUnits'].map((name) =>
          table.metric(name, { ...sum, label: name }),
        ),
      ),
    ];
  }

  #byPart(): GraphWidget[] {
    const { parts } = this.#props;
    const names = Object.keys(parts) as Part[];
    const counted = (metricName: string) =>
      names
        .filter((part) => operationsOf(part).length > 0)
        .map((part) => this.#countOfPart(part, metricName));
    return [
      graph('Requests by part', counted('hms_requests_total')),
      graph('Failures by part', counted('hms_requests_failed')),
      graph(
        'Latency by part: p99, ms',
        // A stream takes as long as it lives.
        names
          .filter((part) => part !== 'stream')
          .map((part) =>
            parts[part].function.metricDuration({
              statistic: Stats.percentile(99),
              period,
              label: part,
            }),
          ),
      ),
    ];
  }

  #journalAndRuns(): GraphWidget[] {
    const { relay } = this.#props;
    const age = relay.function.metric('IteratorAge', { ...maximum, label: 'oldest entry' });
    return [
      graph('Relay: age, ms', [age]),
      graph('Events relayed', [this.#own('hms_events_relayed_total', {}, sum)]),
      graph('Rollouts open', [this.#own('hms_runs_open', {}, maximum)]),
    ];
  }

  #jobs(): GraphWidget[] {
    const byType = (name: string, how: typeof sum, more: Record<string, string> = {}) =>
      workerTypes.map((type) => this.#own(name, { type, ...more }, how, type));
    const dead = byType('hms_jobs_ended_total', sum, { outcome: 'dead' });
    return [
      graph(
        'Jobs waiting (left) and running (right)',
        byType('hms_jobs_waiting', maximum),
        byType('hms_jobs_running', maximum),
      ),
      graph('Jobs: the oldest that waits, ms', byType('hms_jobs_oldest_age_ms', maximum)),
      graph('Jobs dead', dead),
    ];
  }

  #services(): GraphWidget[] {
    const colours = ['green', 'yellow', 'red'].map((status) =>
      this.#own('hms_services', { status }, maximum, status),
    );
    return [
      graph('Services by colour', colours),
      graph('Calls of services that failed: the most', [
        this.#byService('hms_service_requests_failed', Stats.SUM),
      ]),
      graph('Latency of services: p99, ms, the longest', [
        this.#byService('hms_service_request_duration_ms', Stats.percentile(99)),
      ]),
    ];
  }

  /** The ten of them with the highest numbers: nobody knows beforehand what they are called. */
  #byService(metricName: string, statistic: string): IMetric {
    const schema = `{"${metricsNamespace(this.#props.config)}",tenant,service}`;
    const search = `SEARCH('${schema} MetricName="${metricName}"', '${statistic}', ${period.toSeconds()})`;
    return new MathExpression({
      expression: `SORT(${search}, MAX, DESC, 10)`,
      usingMetrics: {},
      label: '',
      period,
    });
  }

  #faults(): GraphWidget[] {
    const { parts, workers, relay, deadLetters } = this.#props;
    const functions = Object.entries({ ...parts, ...workers, relay });
    return [
      graph(
        'Functions that crashed or ran out of time',
        functions.map(([label, made]) => made.function.metricErrors({ ...sum, label })),
      ),
      graph(
        'Functions that were throttled',
        functions.map(([label, made]) => made.function.metricThrottles({ ...sum, label })),
      ),
      graph(
        'Dead letters',
        Object.entries(deadLetters).map(([label, queue]) =>
          queue.metricApproximateNumberOfMessagesVisible({ ...maximum, label }),
        ),
      ),
    ];
  }

  /** Over all operations of a part, as our code counts them. */
  #countOfPart(part: Part, metricName: string): IMetric {
    const counts = operationsOf(part).map((operation, at): [string, IMetric] => [
      `${part}${at}`,
      this.#own(metricName, { operation }, sum),
    ]);
    return new MathExpression({
      expression: `SUM([${counts.map(([id]) => `FILL(${id}, 0)`).join(', ')}])`,
      usingMetrics: Object.fromEntries(counts),
      label: part,
      period,
    });
  }

  #own(
    metricName: string,
    dimensionsMap: Record<string, string>,
    how: typeof sum,
    label = metricName,
  ): Metric {
    const namespace = metricsNamespace(this.#props.config);
    return new Metric({ namespace, metricName, dimensionsMap, label, ...how });
  }
}

/** The labels by which the operations of a part are counted. */
function operationsOf(part: Part): string[] {
  const own = allOperations.filter((operation) => operation.part === part);
  return [...new Set(own.map(({ id, countedAs = id }) => countedAs))];
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, ...third });
}
