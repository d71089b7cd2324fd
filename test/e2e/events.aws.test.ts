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
import { jobEvent } from '../../src/contract/job-events.ts';
import { policyEvent } from '../../src/contract/policy-events.ts';
import { publishRule } from '../support/cast.ts';
import { deployedOutput, deployedService } from '../support/deployed-service.ts';
import { emulatedQueue } from '../support/emulated-queue.ts';
import { complete, enqueue, fail, leaseOne, readJob } from '../support/job-calls.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { clientFor } from '../support/service-client.ts';

interface Told {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
}

/** What a team's own rule hands to its queue, by the id of the event. */
async function subscribe<Event extends Told>(source: string, schema: z.ZodType<Event>) {
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
  const heard = new Map<string, Event>();
  return async (wanted: (event: Event) => boolean): Promise<readonly Event[]> => {
    for (const message of await queue.receive()) {
      const body = JSON.parse(message) as { detail: unknown; 'detail-type': string };
      const event = schema.parse(body.detail);
      expect(event, 'an event with undeclared members').toEqual(body.detail);
      expect(body['detail-type']).toBe(event.type);
      heard.set(event.id, event);
    }
    return [...heard.values()].filter(wanted);
  };
}

it('deployed: every change is told on the event bus, a rollback twice', async () => {
  const hear = await subscribe('hms.policies', policyEvent);
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
  const isOurs = ({ subject }: Told) => subject === id;
  const told = async () => (await hear(isOurs)).map((event) => event.id).sort();
  await expect.poll(told, { timeout: 20_000 }).toEqual(wanted.sort());
  const events = await hear(isOurs);
  expect(events.find((event) => event.type === 'policy.rolledback')?.data).toMatchObject({
    id,
    snapshot: one.snapshot,
    before: two.snapshot,
    gen: 3,
    action: 'policy.rolledback',
  });
});

it('deployed: how a job ended, and what it emitted, is told on the event bus', async () => {
  const hear = await subscribe('hms.jobs', jobEvent);
  const reader = await clientFor(await deployedService(), 'demo-service');
  const type = uniqueId('letter');
  const done = await enqueue(reader, { type });
  const printed = { type: 'letter.printed', subject: uniqueId('LTR'), data: { pages: 5 } };
  const told = { result: { pages: 5 }, events: [printed, { ...printed, type: 'letter.sent' }] };
  await complete(reader, await leaseOne(reader, type), told);
  const rejected = await enqueue(reader, { type });
  const reject = { validator: 'address', reason: 'there is no such street' };
  await fail(reader, await leaseOne(reader, type), { reject });
  const place = { lat: 20 + Math.random() * 40, lon: 30 + Math.random() * 40 };
  const pothole = { type: 'pothole.report', data: { ...place, description: 'A hole' } };
  const reported = await enqueue(reader, pothole);

  const jobs = [done, rejected, reported];
  const isOurs = ({ data }: z.output<typeof jobEvent>) => jobs.includes(data.job);
  const heard = async () => {
    const events = await hear(isOurs);
    return events.map((event) => `${jobs.indexOf(event.data.job)} ${event.type}`).sort();
  };
  await expect
    .poll(heard, { timeout: 40_000 })
    .toEqual([
      '0 job.completed',
      '0 letter.printed',
      '0 letter.sent',
      '1 job.rejected',
      '2 case.opened',
      '2 crew.notified',
      '2 job.completed',
    ]);
  const events = await hear(isOurs);
  const of = (wanted: string, job = done) =>
    events.find((event) => event.type === wanted && event.data.job === job);
  expect(of('job.completed')).toMatchObject({
    subject: `job:${done}`,
    data: { result: { pages: 5 } },
  });
  expect(of('letter.printed')).toMatchObject({
    subject: printed.subject,
    data: { data: { pages: 5 } },
  });
  expect(of('job.rejected', rejected)).toMatchObject({ data: { error: { validator: 'address' } } });
  const opened = of('case.opened', reported);
  const { result } = await readJob(reader, reported);
  expect(opened).toMatchObject({
    subject: (result as { case: string }).case,
    data: { data: { location: place } },
  });
});
