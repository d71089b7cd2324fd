import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';

import type { DeadLetters } from './dead-letters.ts';
import type { NodeFunction } from './node-function.ts';

export const sumOf5Min = { statistic: Stats.SUM, period: Duration.minutes(5) };

/** How often a function crashed or ran out of time. */
export function errors(watched: NodeFunction): IMetric {
  return watched.function.metricErrors(sumOf5Min);
}

/** How much there is that somebody has to look at. */
export function waiting(queue: DeadLetters): IMetric {
  return queue.metricApproximateNumberOfMessagesVisible({
    statistic: Stats.MAXIMUM,
    period: Duration.minutes(1),
  });
}
