import { Duration } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';

import type { StageConfig } from '../config.ts';
import { metricsNamespace } from './node-function.ts';

/** Fewer requests than this in ten minutes are not judged by their share of failures. */
const minRequests = 20;

/** Fewer services than this are not judged by how many of them are red. */
const minServices = 10;

const fiveMin = Duration.minutes(5);
const tenMin = Duration.minutes(10);

/** What tells failures of ours from those of the services of tenants. */
export class AlarmMath {
  readonly #namespace: string;

  constructor(config: StageConfig) {
    this.#namespace = metricsNamespace(config);
  }

  /** The share of requests, in %, that failed by a fault of ours. */
  failedRequests(stage: Stage): IMetric {
    return new MathExpression({
      // API Gateway cannot tell whose they are; what no function answered counts as well.
      expression:
        `IF(requests >= ${minRequests} AND failures > FILL(ofServices, 0), ` +
        '100 * (failures - FILL(ofServices, 0)) / requests, 0)',
      usingMetrics: {
        requests: stage.metricCount({ period: tenMin }),
        failures: stage.metricServerError({ period: tenMin }),
        ofServices: this.#sum('hms_requests_failed_by_services', tenMin),
      },
      label: 'failed requests, %',
      period: tenMin,
    });
  }

  /** How many invocations of the gateway failed, of these errors of its function in five minutes. */
  failedGatewayCalls(errors: IMetric): IMetric {
    return new MathExpression({
      // An answer that breaks off fails its invocation, so that the caller can tell.
      expression: 'errors - FILL(broken, 0)',
      usingMetrics: { errors, broken: this.#sum('hms_service_answers_broken_total', fiveMin) },
      label: 'failed calls',
      period: fiveMin,
    });
  }

  /** The share of services, in %, that are red. */
  redServices(): IMetric {
    return new MathExpression({
      expression: `IF(green + yellow + red >= ${minServices}, 100 * red / (green + yellow + red), 0)`,
      usingMetrics: {
        green: this.#services('green'),
        yellow: this.#services('yellow'),
        red: this.#services('red'),
      },
      label: 'red services, %',
      period: fiveMin,
    });
  }

  /** The share of calls, in %, that services failed. */
  failedServiceCalls(): IMetric {
    return new MathExpression({
      expression: `IF(calls >= ${minRequests}, 100 * failed / calls, 0)`,
      usingMetrics: {
        calls: this.#sum('hms_service_requests_total', tenMin),
        failed: this.#sum('hms_service_requests_failed', tenMin),
      },
      label: 'failed calls of services, %',
      period: tenMin,
    });
  }

  #services(status: string): Metric {
    return new Metric({
      namespace: this.#namespace,
      metricName: 'hms_services',
      dimensionsMap: { status },
      statistic: Stats.MAXIMUM,
      period: fiveMin,
    });
  }

  /** Over everything that is counted so. */
  #sum(metricName: string, period: Duration): Metric {
    return new Metric({ namespace: this.#namespace, metricName, statistic: Stats.SUM, period });
  }
}
