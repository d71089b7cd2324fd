import {
  DeleteRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { expect, it, onTestFinished } from 'vitest';
import type * as z from 'zod';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { policyEvent } from '../../src/contract/policy-events.ts';
import { publishRule } from '../support/cast.ts';
import { deployedOutput, deployedService } from '../support/deployed-service.ts';
import { emulatedQueue } from '../support/emulated-queue.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { clientFor } from '../support/service-client.ts';

type PolicyEvent = z.output<typeof policyEvent>;

/** What a team's own rule hands to its queue, by journal index. */
async function subscribe(source: string) {
  const client = new EventBridgeClient({});
  const EventBusName = await deployedOutput('BusName');
  const queue = await emulatedQueue();
  const Rule = `test-${crypto.randomUUID()}`;
  const EventPattern = JSON.stringify({ source: [source] });
  await client.send(new PutRuleCommand({ EventBusName, Name: Rule, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: queue.arn }];
  await client.send(new PutTargetsCommand({ EventBusName, Rule, Targets }));
  onTestFinished(async () => {
    await client.send(new RemoveTargetsCommand({ EventBusName, Rule, Ids: ['queue'] }));
    await client.send(new DeleteRuleCommand({ EventBusName, Name: Rule }));
    await queue[Symbol.asyncDispose]();
    client.destroy();
  });
  const heard = new Map<string, PolicyEvent>();
  return async (id: string): Promise<readonly PolicyEvent[]> => {
    for (const message of await queue.receive()) {
      const body = JSON.parse(message) as { detail: unknown; 'detail-type': string };
      const event = policyEvent.parse(body.detail);
      expect(event, 'an event with undeclared members').toEqual(body.detail);
      expect(body['detail-type']).toBe(event.type);
      heard.set(event.id, event);
    }
    return [...heard.values()].filter(({ subject }) => subject === id);
  };
}

it('deployed: every change is told on the event bus, a rollback twice', async () => {
  const hear = await subscribe('hms.policies');
  const service = await deployedService();
  const editor = await clientFor(service, 'demo-editor');
  const id = uniqueId('told');
  const { body: one } = await publishRule(editor, id, { limit: 1 });
  const { body: two } = await publishRule(editor, id, { limit: 2 });
  const params = { id };
  const { body: back } = await editor.call(changeOperations.rollbackPolicy, { params });
  const wanted = [
    `demo/${one.index}/policy.updated`,
    `demo/${two.index}/policy.updated`,
    `demo/${back.index}/policy.rolledback`,
    `demo/${back.index}/policy.updated`,
  ];
  const told = async () => (await hear(id)).map((event) => event.id).sort();
  await expect.poll(told, { timeout: 20_000 }).toEqual(wanted.sort());
  const events = await hear(id);
  expect(events.find((event) => event.type === 'policy.rolledback')?.data).toMatchObject({
    id,
    snapshot: one.snapshot,
    before: two.snapshot,
    gen: 3,
    action: 'policy.rolledback',
  });
});
