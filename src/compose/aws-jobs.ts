import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsJobQueue } from '../adapters/aws/sqs-job-queue.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { Deps } from '../core/deps.ts';
import { commitLanes } from '../core/journal/commit-lanes.ts';
import type { CommitDeps } from '../core/journal/send-commit.ts';
import { awsClient, setting } from './aws-config.ts';
import { awsJobJournals } from './aws-job-journals.ts';

/** What a function needs that changes jobs, or works on them. */
export function awsJobs(deps: CommitDeps): Pick<Deps, 'queue' | 'lanes' | 'jobJournals'> {
  return { queue: awsJobQueue(), lanes: commitLanes(deps), jobJournals: awsJobJournals() };
}

export function awsJobQueue(): Deps['queue'] {
  return sqsJobQueue({
    client: new SQSClient(awsClient),
    queues: JSON.parse(setting('HMS_JOB_QUEUES')) as Parameters<typeof sqsJobQueue>[0]['queues'],
    clock: systemClock,
  });
}
