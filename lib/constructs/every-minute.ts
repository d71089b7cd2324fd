import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';

import type { DeadLetters } from './dead-letters.ts';
import type { NodeFunction } from './node-function.ts';

/**
 * Calls a function every minute. A call that fails is not repeated, since the next minute's does
 * the same work; it is kept in `deadLetters`, to which the function must be allowed to send.
 */
export function everyMinute(
  scope: Construct,
  { function: called }: NodeFunction,
  deadLetters: DeadLetters,
): void {
  const once = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
  called.configureAsyncInvoke({ ...once, onFailure: deadLetters.destination });
  new Rule(scope, 'EveryMinute', {
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [new LambdaFunction(called, { ...once, deadLetterQueue: deadLetters })],
  });
}
