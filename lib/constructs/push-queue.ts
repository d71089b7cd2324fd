import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
} from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { DeadLetters } from './dead-letters.ts';
import { queueAccess } from './queue-access.ts';

/** How long a push function may take over its batch. */
export const pushTimeoutS = 60;

/**
 * Over that timeout by what lies between a receive and its call, and no more: a shard whose function
 * died waits for so long. What is handed out twice is told twice at the worst.
 */
const visibilityTimeoutS = pushTimeoutS + 30;

/** Then those behind it go on: what a shard was not told, it is told with the next change. */
const maxReceiveCount = 5;

/** What is to be told to WebSockets: a message group for each shard of a tenant's connections. */
export class PushQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: DeadLetters;
  readonly #key: IKey;

  constructor(scope: Construct, id: string, key: IKey) {
    super(scope, id);
    this.#key = key;
    this.deadLetters = new DeadLetters(this, 'DeadLetters', key, { fifo: true });
    this.queue = new Queue(this, 'Queue', {
      fifo: true,
      // Hundreds of calls a second for each group, and not for all of them.
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: key,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(visibilityTimeoutS),
      // A connection lives for two hours: what is older is of no use to anybody.
      retentionPeriod: Duration.hours(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    });
  }

  /** What a function must be allowed that says what is to be told. */
  sending(): PolicyStatement[] {
    return queueAccess([this.queue], this.#key, 'send');
  }

  /** What the function must be allowed that tells it. */
  working(): PolicyStatement[] {
    return queueAccess([this.queue], this.#key, 'take');
  }
}
