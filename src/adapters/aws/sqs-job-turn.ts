import type { JobTurn, QueuedJob } from '../../ports/job-queue.ts';
import { hasNames } from '../runtime/job-queue-limits.ts';

/** What we read of a record of a Lambda event (`SQSRecord` of `aws-lambda`). */
export interface SqsJobRecord {
  readonly eventSourceARN: string;
  readonly receiptHandle: string;
  readonly body: string;
}

type JobNames = Omit<JobTurn, 'receipt'>;

export function bodyOf({ tenant, type, id }: QueuedJob): string {
  return JSON.stringify({ tenant, type, id });
}

/** The last segment of its URL. Errors: an `Error` for what is none. */
export function queueNameOf(queueUrl: string): string {
  const name = URL.parse(queueUrl)?.pathname.split('/').at(-1);
  if (name === undefined || name === '')
    throw new Error(`'${queueUrl}' is not the URL of a queue.`);
  return name;
}

/**
 * The turn that a function was handed in its event, for `hide` and `remove` of the queue.
 * Errors: `TypeError` for a message that is not a job's.
 */
export function turnOf({ eventSourceARN, receiptHandle, body }: SqsJobRecord): JobTurn {
  const queueName = eventSourceARN.slice(eventSourceARN.lastIndexOf(':') + 1);
  const turn = parseTurn(queueName, receiptHandle, body);
  if (turn === undefined) throw new TypeError(`a message of the queue ${queueName} is not a job`);
  return turn;
}

/** Undefined for a message that is not a job's. */
export function parseTurn(
  queueName: string,
  receiptHandle: string | undefined,
  body: string | undefined,
): JobTurn | undefined {
  const names = parseNames(body ?? '');
  if (names === undefined || receiptHandle === undefined) return undefined;
  return { ...names, receipt: `${queueName}/${receiptHandle}` };
}

/** A queue is called `[A-Za-z0-9_-]`: all behind the first slash is what SQS gave. */
export function partsOf(receipt: string): { queueName: string; receiptHandle: string } {
  const slash = receipt.indexOf('/');
  return { queueName: receipt.slice(0, slash), receiptHandle: receipt.slice(slash + 1) };
}

function parseNames(body: string): JobNames | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isNames(value) && hasNames(value)
      ? { tenant: value.tenant, type: value.type, id: value.id }
      : undefined;
  } catch {
    return undefined;
  }
}

function isNames(value: unknown): value is JobNames {
  if (typeof value !== 'object' || value === null) return false;
  const names = ['tenant', 'type', 'id'];
  const entries = Object.entries(value);
  return (
    entries.length === names.length &&
    entries.every(([name, part]) => names.includes(name) && typeof part === 'string')
  );
}
