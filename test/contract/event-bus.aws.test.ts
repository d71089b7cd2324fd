import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { afterAll } from 'vitest';

import { eventbridgeBus } from '../../src/adapters/aws/eventbridge-bus.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import type { BusEvent } from '../../src/ports/event-bus.ts';
import { emulatedQueue } from '../support/emulated-queue.ts';
import { describeEventBus } from './event-bus.suite.ts';
import type { EventBusFixture } from './event-bus.suite.ts';

const giveUpAfterMs = 10_000;

const client = new EventBridgeClient({});
const EventBusName = `test-${crypto.randomUUID()}`;
await client.send(new CreateEventBusCommand({ Name: EventBusName }));
afterAll(async () => {
  await client.send(new DeleteEventBusCommand({ Name: EventBusName }));
  client.destroy();
});

/** Each with a subscriber of its own: a rule that matches everything, to an SQS queue. */
async function make(): Promise<EventBusFixture> {
  const queue = await emulatedQueue();
  const Rule = `test-${crypto.randomUUID()}`;
  const EventPattern = JSON.stringify({ source: [{ prefix: '' }] });
  await client.send(new PutRuleCommand({ EventBusName, Name: Rule, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: queue.arn }];
  await client.send(new PutTargetsCommand({ EventBusName, Rule, Targets }));
  const taken: BusEvent[] = [];
  return {
    bus: eventbridgeBus({ client, bus: EventBusName, clock: systemClock }),
    async delivered(count) {
      const begun = performance.now();
      while (taken.length < count && performance.now() - begun < giveUpAfterMs) {
        taken.push(...(await queue.receive()).map(detailOf));
      }
      return taken;
    },
    async close() {
      await client.send(new RemoveTargetsCommand({ EventBusName, Rule, Ids: ['queue'] }));
      await client.send(new DeleteRuleCommand({ EventBusName, Name: Rule }));
      await queue[Symbol.asyncDispose]();
    },
  };
}

function detailOf(message: string): BusEvent {
  const { detail }: { detail: BusEvent } = JSON.parse(message);
  return detail;
}

describeEventBus('eventbridgeBus', make, { ordered: false });
