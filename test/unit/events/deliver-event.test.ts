import { describe, expect, it } from 'vitest';
import { deliveredEvent } from '../../../src/contract/event-schemas.ts';
import { eventDeliver } from '../../../src/core/events/event-delivery.ts';
import { queryRecords } from '../../../src/core/records.ts';
import { journalPartition } from '../../../src/core/journal/journal-keys.ts';
import { submitJob } from '../../../src/core/jobs/submit-job.ts';
import { plainJob } from '../../support/job-desk.ts';
import { EventDesk, submitted } from './event-desk.ts';

const failed = { outcome: 'failed', detail: 'HTTP 503' } as const;

/** A desk with one event on its way to `email`. */
async function onItsWay(change: Parameters<EventDesk['subscribe']>[1] = submitted) {
  const desk = new EventDesk();
  await desk.subscribe('email', change);
  const { id } = await desk.publish({ id: 'e-1' });
  await desk.relay();
  return { desk, id };
}

describe('a delivery', () => {
  it('is a CloudEvent with what was published, under the id of the event', async () => {
    const { desk, id } = await onItsWay();
    const secret = await desk.rotate('email');
    await desk.deliver();
    const [sent, ...more] = desk.sent;
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ url: 'https://email.example/events', secret, notice: { id } });
    const body: unknown = JSON.parse(sent?.notice.body ?? '');
    expect(deliveredEvent.parse(body)).toEqual(body);
    expect(body).toMatchObject({ id, type: submitted, tenant: 'demo', data: { voucher: 7 } });
    const { status, result } = await desk.delivery();
    const done = { outcome: 'delivered', target: 'primary', detail: 'HTTP 204' };
    expect([status, result]).toEqual(['completed', done]);
    await desk.consistent();
  });

  it('of what a job emitted has an id that Standard Webhooks allows', async () => {
    const desk = new EventDesk();
    await desk.subscribe('crew', 'case.opened');
    await desk.submit({ type: 'test.emit', data: null });
    await desk.workOnce('test.emit');
    await desk.relay();
    await desk.deliver();
    const [sent] = desk.sent;
    expect(sent?.notice.id).toMatch(/^event-[0-9a-f]{40}$/);
    const body = deliveredEvent.parse(JSON.parse(sent?.notice.body ?? ''));
    expect(body).toMatchObject({
      source: 'hms.jobs',
      subject: 'CASE-7',
      data: { urgency: 'high' },
    });
  });

  it('that fails is tried again with the same body, until it is dead, and redriven', async () => {
    const { desk } = await onItsWay();
    await desk.rotate('email');
    desk.answer = () => failed;
    await desk.deliver();
    expect(await desk.delivery()).toMatchObject({
      status: 'failed',
      error: { message: 'HTTP 503' },
    });
    await desk.workFor(5 * 3_600_000, 60_000);
    const dead = await desk.delivery();
    expect([dead.status, dead.attempts, desk.sent.length]).toEqual(['dead', 16, 16]);
    expect(new Set(desk.sent.map(({ notice }) => notice.body)).size).toBe(1);
    expect(new Set(desk.sent.map(({ notice }) => notice.id)).size).toBe(1);
    desk.answer = () => ({ outcome: 'delivered', detail: 'HTTP 200' });
    await desk.retry(dead.id);
    await desk.deliver();
    expect((await desk.delivery()).status).toBe('completed');
    await desk.consistent();
  });

  it('ends with 410, without another attempt', async () => {
    const { desk } = await onItsWay();
    desk.answer = () => ({ outcome: 'gone', detail: 'HTTP 410' });
    await desk.deliver();
    const { status, result } = await desk.delivery();
    expect([status, result]).toMatchObject(['completed', { outcome: 'gone' }]);
  });

  it('to a service that left, or does not subscribe any more, is rejected', async () => {
    const { desk } = await onItsWay();
    await desk.subscribe('email', 'voucher-paid');
    await desk.deliver();
    expect(await desk.delivery()).toMatchObject({
      status: 'rejected',
      error: { message: 'email does not subscribe to voucher-submitted any more' },
    });
    const left = await onItsWay();
    await left.desk.unregister('email');
    await left.desk.deliver();
    expect(await left.desk.delivery()).toMatchObject({
      status: 'rejected',
      error: { message: 'there is no service email any more' },
    });
    expect([...desk.sent, ...left.desk.sent]).toEqual([]);
  });

  it('goes to the secondary while the primary is down, and nowhere while all is red', async () => {
    const west = 'https://west.example';
    const desk = new EventDesk();
    desk.probe.answer = (url) => (url.startsWith(west) ? 200 : 503);
    await desk.subscribe('email', {
      secondaryUrl: west,
      events: { publishes: [], subscribes: [{ type: submitted, path: '/in' }] },
    });
    await desk.publish();
    await desk.relay();
    await desk.deliver();
    expect(desk.sent.map(({ url }) => url)).toEqual([`${west}/in`]);

    const red = new EventDesk();
    red.probe.answer = () => 404;
    await red.subscribe('email');
    await red.publish();
    await red.relay();
    await red.deliver();
    expect(red.sent).toEqual([]);
    expect(await red.delivery()).toMatchObject({
      status: 'failed',
      error: { message: 'The service is red: answered 404.' },
    });
  });

  it('is spread over the replicas, also from one attempt to the next', async () => {
    const { desk } = await onItsWay({ replicas: ['https://email-2.example'] });
    desk.answer = () => failed;
    await desk.deliver();
    await desk.clock.advance(1000);
    await desk.deliver();
    expect(new Set(desk.sent.map(({ url }) => url)).size).toBe(2);
  });

  it('without a key of the service is signed with one that nobody has', async () => {
    const { desk } = await onItsWay();
    desk.answer = () => failed;
    await desk.deliver();
    await desk.clock.advance(1000);
    await desk.deliver();
    const secrets = desk.sent.map(({ secret }) => secret);
    for (const secret of secrets) expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(new Set(secrets).size).toBe(2);
  });

  it.each([
    ['an event that was never published', { event: 'e-2' }],
    ['another type than its own', { type: 'voucher-paid' }],
    ['a place where nothing is', { index: 999 }],
  ])('that somebody asks for of %s is rejected', async (_, change) => {
    const { desk } = await onItsWay();
    const { data } = await desk.delivery();
    const asked = { ...(data as object), ...change } as typeof data;
    const { id } = await desk.submit({ type: eventDeliver, data: asked });
    await desk.workOnce(eventDeliver);
    await desk.deliver();
    expect((await desk.job(id)).error).toMatchObject({ validator: 'published' });
  });

  it('cannot be asked for of another tenant', async () => {
    const { desk } = await onItsWay();
    await desk.subscribe('email', submitted, 'other');
    const { data } = await desk.delivery();
    const asked = { ...plainJob, type: eventDeliver, data };
    const theirs = desk.by('other', 'mallory');
    const { id } = await submitJob(desk.deps, theirs, asked);
    await desk.deliver();
    const [job] = await desk.deliveries('other');
    expect(job).toMatchObject({ id, status: 'rejected', error: { validator: 'published' } });
    expect(desk.sent).toHaveLength(1);
    const log = 'jobs-0#journal';
    const bent = { ...asked, data: { ...(data as object), log } as typeof data };
    await expect(submitJob(desk.deps, theirs, bent)).rejects.toMatchObject({
      code: 'invalid_request',
      details: [{ pointer: '/data/log' }],
    });
  });
});

describe('the key of a service', () => {
  it('is told once, and the journal does not have it', async () => {
    const { desk } = await onItsWay();
    const first = await desk.rotate('email');
    const second = await desk.rotate('email');
    expect(first).not.toBe(second);
    await desk.deliver();
    expect(desk.sent[0]?.secret).toBe(second);
    const entries = await queryRecords(desk.deps, {
      partition: journalPartition('demo'),
      limit: 100,
    });
    const journaled = JSON.stringify(entries);
    expect(journaled).toContain('service.rekeyed');
    for (const secret of [first, second]) expect(journaled).not.toContain(secret.slice(6));
  });

  it('is that of one tenant, and of a service that there is', async () => {
    const { desk } = await onItsWay();
    await desk.subscribe('email', submitted, 'other');
    const [ours, theirs] = [await desk.rotate('email'), await desk.rotate('email', 'other')];
    await desk.deliver();
    expect(desk.sent[0]?.secret).toBe(ours);
    expect(ours).not.toBe(theirs);
    await expect(desk.rotate('nobody')).rejects.toMatchObject({ code: 'not_found' });
    expect(await desk.secrets.get({ tenant: 'demo', name: 'service/nobody' })).toBeUndefined();
  });
});
