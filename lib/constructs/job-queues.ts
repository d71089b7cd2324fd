import { Duration } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { type WorkerType, workerTypes } from '../../src/contract/worker-types.ts';
import type { StageConfig } from '../config.ts';
import { DeadLetters } from './dead-letters.ts';
import { pascalCase } from './pascal-case.ts';
import { queueAccess } from './queue-access.ts';

/** Each has a queue of its own: what a queue hands out first, nobody can choose. */
export const jobPriorities = ['high', 'normal', 'low'] as const;

export type JobPriority = (typeof jobPriorities)[number];

/** The queues of one type of job. */
export interface TypeQueues {
  readonly type: WorkerType;
  readonly byPriority: Readonly<Record<JobPriority, Queue>>;
  readonly deadLetters: DeadLetters;
}

/** How long a worker function may take over its batch: twice what an attempt of ours may take. */
export const workTimeoutS = 120;

/**
 * Over that timeout by what lies between a receive and its call, and no more. AWS advises six times
 * the timeout, so that a batch which Lambda has to hold back is not handed out twice; here that does
 * no harm, since a job's record lets it be started once, while a job whose function crashed would
 * wait for 12 minutes.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
const visibilityTimeoutS = workTimeoutS + 30;

/**
 * A message may be handed out for each of 25 attempts at the most that soon follow one another, what
 * waits for longer being sent anew; and some 40 times while stores do not answer and no attempt
 * begins, which is an hour and a half. The rest is for what nobody has thought of.
 */
const maxReceiveCount = 100;

/**
 * Whose turn it is, of the jobs that our own workers do: for each type a queue per priority, and one
 * for what was handed out far too often. A message only names a job, which is in the table; what is
 * lost here, or has expired, is sent again by the reconciler.
 */
export class JobQueues extends Construct {
  readonly types: readonly TypeQueues[];
  readonly #key: IKey;

  constructor(scope: Construct, id: string, config: StageConfig, key: IKey) {
    super(scope, id);
    this.#key = key;
    this.types = workerTypes.map((type) => {
      const name = (part: string) => `hms-${config.stage}-${type.replaceAll('.', '-')}-${part}`;
      const scopeOfType = new Construct(this, pascalCase(type));
      const deadLetters = new DeadLetters(scopeOfType, 'Dead', key, { queueName: name('dead') });
      const queue = (priority: JobPriority) =>
        new Queue(scopeOfType, pascalCase(priority), {
          queueName: name(priority),
          encryption: QueueEncryption.KMS,
          encryptionMasterKey: key,
          enforceSSL: true,
          visibilityTimeout: Duration.seconds(visibilityTimeoutS),
          retentionPeriod: Duration.days(14),
          deadLetterQueue: { queue: deadLetters, maxReceiveCount },
        });
      const byPriority = { high: queue('high'), normal: queue('normal'), low: queue('low') };
      return { type, byPriority, deadLetters };
    });
  }

  /** What a function must be allowed that sends jobs, of whatever type. */
  sending(): PolicyStatement[] {
    const queues = this.types.flatMap(({ byPriority }) => Object.values(byPriority));
    return queueAccess(queues, this.#key, 'send');
  }
}

/** What a function is told that finds jobs: where their records are, and, of these types, their queues. */
export function jobsEnvironment(
  { jobs }: StageConfig,
  types: readonly TypeQueues[],
): Record<string, string> {
  const urls = types.map(({ type, byPriority: { high, normal, low } }) => {
    return [type, { high: high.queueUrl, normal: normal.queueUrl, low: low.queueUrl }] as const;
  });
  return { ...journalsEnvironment(jobs), HMS_JOB_QUEUES: JSON.stringify(Object.fromEntries(urls)) };
}

/** What a function is told that only reads jobs, or what their journals tell. */
export function journalsEnvironment({
  journals,
}: Pick<StageConfig['jobs'], 'journals'>): Record<string, string> {
  return { HMS_JOB_JOURNALS: String(journals) };
}
