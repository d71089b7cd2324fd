import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';

import type { PagingAlarmProps } from './paging-alarm.ts';
import type { PushFunctions } from './push-functions.ts';
import type { PushQueue } from './push-queue.ts';
import { errors, waiting } from './watched-metrics.ts';

/** What is watched of WebSockets. */
export function pushAlarms(
  { frames, changes }: PushFunctions,
  { queue, deadLetters }: PushQueue,
): Omit<PagingAlarmProps, 'stage' | 'topic'>[] {
  return [
    {
      name: 'push-late',
      what: 'What is to be told over WebSockets has waited for a minute, three minutes in a row',
      metric: queue.metricApproximateAgeOfOldestMessage({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 60,
      periods: 3,
    },
    {
      name: 'push-failing',
      what: 'A function of WebSockets crashed or ran out of time, 5 times in 10 minutes',
      metric: new MathExpression({
        expression: 'frames + changes',
        usingMetrics: { frames: errors(frames), changes: errors(changes) },
        label: 'failed calls',
        period: Duration.minutes(10),
      }),
      threshold: 5,
    },
    {
      name: 'push-dead-letters',
      what: 'Connections of a shard could not be told of something, time after time',
      metric: waiting(deadLetters),
      threshold: 1,
    },
  ];
}
