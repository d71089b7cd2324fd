import { setTimeout } from 'node:timers/promises';

import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll } from 'vitest';

import { sqsJobQueue } from '../../src/adapters/aws/sqs-job-queue.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { emulatedJobQueues } from '../support/emulated-job-queues.ts';
import { describeJobQueue } from './job-queue.suite.ts';

const client = new SQSClient({});
afterAll(() => client.destroy());

describeJobQueue(
  'sqsJobQueue',
  async () => {
    const emulated = await emulatedJobQueues(client, ['type.a', 'type.b']);
    return {
      queue: sqsJobQueue({ client, queues: emulated.queues, clock: systemClock }),
      nowMs: () => systemClock.nowMs(),
      pass: (ms) => setTimeout(ms),
      close: async () => await emulated[Symbol.asyncDispose](),
    };
  },
  { exactOrder: false, knowsRepeats: false },
);
