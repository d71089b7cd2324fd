import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { turnOf } from '../src/adapters/aws/sqs-job-queue.ts';
import { awsJobs } from '../src/compose/aws-jobs.ts';
import { awsPartners } from '../src/compose/aws-partners.ts';
import { awsRecords } from '../src/compose/aws-records.ts';
import { awsRuntime } from '../src/compose/aws-runtime.ts';
import { governanceVet } from '../src/compose/governance-vet.ts';
import { jobWorkers } from '../src/compose/job-workers.ts';
import { lazyAwsBlobs } from '../src/compose/lazy-aws-blobs.ts';
import { governanceDefault } from '../src/compose/local-config.ts';
import { workOn } from '../src/core/jobs/work-on.ts';

const base = {
  ...awsRuntime(),
  records: awsRecords(),
  blobs: lazyAwsBlobs(),
  ...awsPartners(),
};
const { queue, ...jobs } = awsJobs(base);
const workers = jobWorkers(base);
const deps = {
  ...base,
  ...jobs,
  // Lambda itself takes out what this function does not name as failed.
  queue: { ...queue, remove: async () => undefined },
  vet: governanceVet(base, governanceDefault(process.env['HMS_GOVERNANCE_DEFAULT'])),
  workerName: `hms-worker/${base.ids.next()}`,
};

/** Jobs whose turn it is. One that waits for its next attempt stays in the queue, hidden. */
export async function handler({ Records: records }: SQSEvent): Promise<SQSBatchResponse> {
  const kept = await Promise.all(
    records.map(async (record) => ((await isKept(record)) ? record : null)),
  );
  return {
    batchItemFailures: kept.flatMap((record) =>
      record === null ? [] : [{ itemIdentifier: record.messageId }],
    ),
  };
}

async function isKept(record: SQSRecord): Promise<boolean> {
  try {
    const turn = turnOf(record);
    const worker = workers.get(turn.type);
    if (worker === undefined) throw new Error(`There is no worker for ${turn.type}.`);
    return (await workOn(deps, worker, turn)) === 'waits';
  } catch (error) {
    deps.log.error('turn not finished', { messageId: record.messageId, error });
    return true;
  }
}
