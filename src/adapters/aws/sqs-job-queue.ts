import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  KmsThrottled,
  MessageNotInflight,
  OverLimit,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs';
import type { SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';

import { Unavailable } from '../../core/errors/app-error.ts';
import { jobPriorities } from '../../core/jobs/job-record.ts';
import type { JobPriority } from '../../core/jobs/job-record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue, JobTurn, QueuedJob, TurnWish } from '../../ports/job-queue.ts';
import { checkHideMs, checkJobs, checkWish } from '../runtime/job-queue-limits.ts';
import { awsError } from './aws-error.ts';
import { retryDelayMs } from './retry-delay.ts';
import { bodyOf, parseTurn, partsOf, queueNameOf } from './sqs-job-turn.ts';

export { turnOf } from './sqs-job-turn.ts';

/** By the type of job, the URLs of three standard queues. */
export type JobQueueUrls = Readonly<Record<string, Readonly<Record<JobPriority, string>>>>;

export interface SqsJobQueueOptions {
  readonly client: SQSClient;
  readonly queues: JobQueueUrls;
  readonly clock: Clock;
}

const maxBatch = 10;
const maxFailures = 5;
const maxDelayS = 900;

/**
 * A `JobQueue` on SQS: a standard queue for each type and priority, without order. Between tenants
 * SQS itself is fair, by the message group
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
 *
 * Who waits is served within about a second: SQS goes on with a poll whose caller has left, and
 * what it then hands out is hidden for nothing, so that each poll is short and none is given up but
 * for the signal. A message that is not a job's is never handed out: it goes the way of the queue's
 * redrive policy.
 *
 * SQS may obey a turn that ran out, although another has the job
 * (https://github.com/getmoto/moto/pull/4655): it then hides or removes it for that one.
 */
export function sqsJobQueue({ client, queues, clock }: SqsJobQueueOptions): JobQueue {
  const urls = new Map(
    Object.values(queues).flatMap((lanes) =>
      Object.values(lanes).map((url) => [queueNameOf(url), url]),
    ),
  );
  const lanesOf = (type: string): Readonly<Record<JobPriority, string>> => {
    const lanes = Object.hasOwn(queues, type) ? queues[type] : undefined;
    if (lanes === undefined) throw new RangeError(`there is no queue for jobs of type ${type}`);
    return lanes;
  };
  return {
    async send(jobs) {
      checkJobs(jobs);
      const byQueue = Map.groupBy(jobs, ({ type, priority }) => lanesOf(type)[priority]);
      for (const [url, ofQueue] of byQueue) await sendAll({ client, clock, url }, ofQueue);
    },

    async receive(type, wish) {
      checkWish(wish);
      const lanes = lanesOf(type);
      const endMs = clock.nowMs() + wish.waitMs;
      let turns = await takeRound({ client, lanes, type, wish, waitS: 0 });
      for (let leftS = Math.ceil(wish.waitMs / 1000); leftS > 0; leftS--) {
        const isOver = wish.signal?.aborted === true || clock.nowMs() >= endMs;
        if (turns.length > 0 || isOver) break;
        turns = await takeRound({ client, lanes, type, wish, waitS: 1 });
      }
      return turns;
    },

    async hide({ receipt }, ms) {
      checkHideMs(ms);
      const { queueName, receiptHandle } = partsOf(receipt);
      const url = urls.get(queueName);
      if (url === undefined) return 'gone';
      const command = new ChangeMessageVisibilityCommand({
        QueueUrl: url,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: seconds(ms),
      });
      return (await unlessGone(client.send(command))) ? 'hidden' : 'gone';
    },

    async remove({ receipt }) {
      const { queueName, receiptHandle } = partsOf(receipt);
      const url = urls.get(queueName);
      if (url === undefined) return;
      const command = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receiptHandle });
      await unlessGone(client.send(command));
    },
  };
}

async function sendAll(
  { client, clock, url }: { client: SQSClient; clock: Clock; url: string },
  jobs: readonly QueuedJob[],
): Promise<void> {
  const nowMs = clock.nowMs();
  for (let start = 0; start < jobs.length; start += maxBatch) {
    let left = jobs.slice(start, start + maxBatch).map((job, i) => toEntry(job, i, nowMs));
    for (let failures = 0; left.length > 0; failures++) {
      await clock.sleep(retryDelayMs(failures));
      const command = new SendMessageBatchCommand({ QueueUrl: url, Entries: left });
      const { Failed = [] } = await client.send(command).catch(rethrow);
      if (Failed.length > 0 && failures === maxFailures) throw unavailable(Failed[0]?.Code);
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
    }
  }
}

function toEntry(job: QueuedJob, place: number, nowMs: number): SendMessageBatchRequestEntry {
  return {
    Id: String(place),
    MessageBody: bodyOf(job),
    MessageGroupId: job.tenant,
    DelaySeconds: Math.min(maxDelayS, Math.max(0, seconds(job.notBeforeMs - nowMs))),
  };
}

interface Round {
  readonly client: SQSClient;
  readonly lanes: Readonly<Record<JobPriority, string>>;
  readonly type: string;
  readonly wish: TurnWish;
  /** How long to wait for a job of normal priority, where most are, when there is no other. */
  readonly waitS: number;
}

/** What each lane has, in the order of priority, until there is enough. */
async function takeRound(round: Round): Promise<JobTurn[]> {
  const turns: JobTurn[] = [];
  try {
    for (const priority of jobPriorities) {
      if (turns.length === round.wish.max || round.wish.signal?.aborted === true) break;
      const waitS = priority === 'normal' && turns.length === 0 ? round.waitS : 0;
      turns.push(...(await takeFrom(round, priority, round.wish.max - turns.length, waitS)));
    }
  } catch (error) {
    // Turns in hand would be lost for as long as they are hidden.
    if (turns.length === 0 && round.wish.signal?.aborted !== true) {
      throw queueError(error);
    }
  }
  return turns;
}

async function takeFrom(
  { client, lanes, type, wish }: Round,
  priority: JobPriority,
  max: number,
  waitS: number,
): Promise<JobTurn[]> {
  const url = lanes[priority];
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: max,
    VisibilityTimeout: seconds(wish.hideMs),
    WaitTimeSeconds: waitS,
  });
  const options = wish.signal === undefined ? {} : { abortSignal: wish.signal };
  const { Messages = [] } = await client.send(command, options);
  return Messages.flatMap(({ ReceiptHandle, Body }) => {
    const turn = parseTurn(queueNameOf(url), ReceiptHandle, Body);
    return turn?.type === type ? [turn] : [];
  });
}

/** Whether it was done; not when the turn is gone, as far as SQS can tell. */
async function unlessGone(done: Promise<unknown>): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw queueError(error);
  }
}

/**
 * SQS has two exceptions for it, and often says instead that a parameter is invalid
 * (https://github.com/aws/aws-sdk-java/issues/1628): of ours only the receipt can be.
 */
function isGone(error: unknown): boolean {
  if (error instanceof ReceiptHandleIsInvalid || error instanceof MessageNotInflight) return true;
  if (!(error instanceof Error)) return false;
  return error.name === 'InvalidParameterValue' || error.name === 'InvalidParameterValueException';
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

function rethrow(error: unknown): never {
  throw queueError(error);
}

function queueError(error: unknown): unknown {
  if (error instanceof OverLimit || error instanceof KmsThrottled) {
    return new Unavailable('The job queue is too busy. Try again.', error);
  }
  return awsError(error, 'The job queue');
}

function unavailable(cause: string | undefined): Unavailable {
  return new Unavailable(
    'The job queue did not take all jobs. Try again.',
    new Error(`SQS refuses an entry: ${cause ?? 'no reason given'}`),
  );
}
