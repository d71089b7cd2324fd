import { describe } from 'vitest';

import { describeJobLimits } from './job-queue-limits.suite.ts';
import { describeJobOrder } from './job-queue-order.suite.ts';
import { JobQueueSuite, type JobQueueSuiteOptions, type MakeJobQueue } from './job-queue-suite.ts';
import { describeJobTurns } from './job-queue-turns.suite.ts';
import { describeWaitingForJobs } from './job-queue-waiting.suite.ts';

/** What every JobQueue must do. Durability is tested per adapter: it takes a crash. */
export function describeJobQueue(
  name: string,
  make: MakeJobQueue,
  options: JobQueueSuiteOptions,
): void {
  describe(`JobQueue: ${name}`, () => {
    const suite = new JobQueueSuite(make);
    describe('order', () => describeJobOrder(suite, options));
    describe('turns', () => describeJobTurns(suite, options));
    describe('waiting', () => describeWaitingForJobs(suite));
    describe('limits', () => describeJobLimits(suite));
  });
}
