import type { PushTask } from '../../src/ports/push-queue.ts';
import { faultyPushQueue } from '../support/faulty-push.ts';
import { memoryPushQueue } from '../support/memory-push-queue.ts';
import { describePushQueue, type PushQueueFixture } from './push-queue.suite.ts';

const make = async (): Promise<PushQueueFixture> => {
  const queue = memoryPushQueue();
  let underWay: PushTask[] = [];
  return {
    queue,
    async take() {
      const taken = queue.take();
      underWay.push(...taken);
      return taken;
    },
    async done() {
      queue.settle(underWay);
      underWay = [];
    },
  };
};

describePushQueue('memoryPushQueue', make);

describePushQueue('faultyPushQueue without faults', async () => {
  const fixture = await make();
  return { ...fixture, queue: faultyPushQueue(fixture.queue, {}) };
});
