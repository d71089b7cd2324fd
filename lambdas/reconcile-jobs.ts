import { awsJobJournals } from '../src/compose/aws-job-journals.ts';
import { awsJobQueue } from '../src/compose/aws-jobs.ts';
import { awsRecords } from '../src/compose/aws-records.ts';
import { awsRuntime } from '../src/compose/aws-runtime.ts';
import { workerTypes } from '../src/contract/worker-types.ts';
import { reconcileJobs } from '../src/core/jobs/reconcile-jobs.ts';
import { SentAgain } from '../src/core/jobs/sent-again.ts';

const base = { ...awsRuntime(), records: awsRecords() };
const deps = {
  ...base,
  queue: awsJobQueue(),
  jobJournals: awsJobJournals(),
  workerTypes,
};

/** Longer than a backlog usually takes: what waits its turn is rarely sent twice. */
const staleMs = 300_000;
/** And in a long one, rarely more than that. */
const againMs = 1_800_000;
/** As long as Lambda keeps the process, which is called each minute. */
const sentAgain = new SentAgain();

/** Every minute: jobs that fell out of the queue, and how many wait. */
export async function handler(): Promise<void> {
  await reconcileJobs(deps, { staleMs, againMs, maxJobs: 500 }, sentAgain);
}
