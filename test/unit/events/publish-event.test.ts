import { describe, expect, it } from 'vitest';
import { checkEvents } from '../../../src/adapters/runtime/event-limits.ts';
import { publishedEvent } from '../../../src/contract/event-schemas.ts';
import { maxEventDataBytes } from '../../../src/core/events/publish-event.ts';
import { eventsOf } from '../../../src/core/events-of.ts';
import { jobJournalsOf } from '../../../src/core/jobs/job-keys.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { processDeps } from '../../support/core-deps.ts';
import { publishEvent } from '../../../src/core/events/publish-event.ts';
import { EventDesk, submitted } from './event-desk.ts';

const dayMs = 86_400_000;

/** Every event of the tenant's journals of jobs. */
async function told(desk: EventDesk, tenant = 'demo') {
  const journals = jobJournalsOf(tenant, desk.deps.jobJournals);
  const found = await Promise.all(
    journals.map(async (journal) => {
      const entries = await entriesAfter(desk.deps, journal, -1, 100);
      return entries.flatMap((entry) => eventsOf(journal, entry));
    }),
  );
  return found.flat();
}

describe('publishing an event', () => {
  it('is an event of the caller’s type, for the bus', async () => {
    const desk = new EventDesk();
    const { id } = await desk.publish({ subject: 'VOUCHER-7' });
    const events = await told(desk);
    checkEvents(events);
    expect(events.map((event) => publishedEvent.parse(event))).toEqual(events);
    expect(events).toMatchObject([
      {
        id,
        source: 'hms.events',
        type: submitted,
        subject: 'VOUCHER-7',
        data: { tenant: 'demo', event: id, action: submitted, data: { voucher: 7 }, actor: 'maya' },
      },
    ]);
    await desk.consistent();
  });

  it('is about itself when nothing else is named', async () => {
    const desk = new EventDesk();
    await desk.publish({ id: 'e-1' });
    expect((await told(desk))[0]).toMatchObject({ id: 'e-1', subject: 'event:e-1' });
  });

  it.each([
    ['an id', { id: 'voucher-7-submitted' }],
    ['an Idempotency-Key', { idempotencyKey: 'voucher 7' }],
  ])('repeated under %s happens once', async (_, name) => {
    const desk = new EventDesk();
    const first = await desk.publish(name);
    const again = await Promise.all([desk.publish(name), desk.publish(name)]);
    expect(first.status).toBe('published');
    expect(again).toEqual([
      { status: 'known', id: first.id },
      { status: 'known', id: first.id },
    ]);
    expect(await told(desk)).toHaveLength(1);
    desk.clock.set(desk.clock.nowMs() + 7 * dayMs + 1);
    expect((await desk.publish(name)).status).toBe('published');
  });

  it('at the same time under one id happens once', async () => {
    const desk = new EventDesk();
    const all = await Promise.all(Array.from({ length: 5 }, () => desk.publish({ id: 'e-1' })));
    expect(all.map(({ status }) => status).sort()).toEqual([
      'known',
      'known',
      'known',
      'known',
      'published',
    ]);
    expect(await told(desk)).toHaveLength(1);
  });

  it('without a name is news each time', async () => {
    const desk = new EventDesk();
    const [a, b] = [await desk.publish(), await desk.publish()];
    expect([a.status, b.status]).toEqual(['published', 'published']);
    expect(a.id).not.toBe(b.id);
  });

  it('refuses an id that was used for something else, or by somebody else', async () => {
    const desk = new EventDesk();
    await desk.publish({ id: 'e-1' });
    const reused = { code: 'idempotency_key_reused' };
    await expect(desk.publish({ id: 'e-1', data: 8 })).rejects.toMatchObject(reused);
    await expect(desk.publish({ id: 'e-1', type: 'x' })).rejects.toMatchObject(reused);
    await expect(desk.publish({ id: 'e-1', subject: 'x' })).rejects.toMatchObject(reused);
    const mallory = desk.by('demo', 'mallory');
    await expect(desk.publish({ id: 'e-1' }, mallory)).rejects.toMatchObject(reused);
    expect(await told(desk)).toHaveLength(1);
  });

  it('keeps the ids of tenants, and the keys of callers, apart', async () => {
    const desk = new EventDesk();
    await desk.publish({ id: 'e-1' });
    expect((await desk.publish({ id: 'e-1' }, desk.by('other'))).status).toBe('published');
    const mine = await desk.publish({ idempotencyKey: 'k' });
    const theirs = await desk.publish({ idempotencyKey: 'k' }, desk.by('demo', 'ravi'));
    expect([theirs.status, theirs.id === mine.id]).toEqual(['published', false]);
    expect((await told(desk, 'other')).map(({ id }) => id)).toEqual(['e-1']);
  });

  it.each([
    'job.completed',
    'policy.updated',
    'run.ended',
    'delivery.x',
    'service.health',
    'Voucher',
    'a..b',
    'a--b',
    '',
    'x'.repeat(129),
  ])('refuses the type "%s"', async (type) => {
    const desk = new EventDesk();
    const error = await desk.publish({ type }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_request', details: [{ pointer: '/type' }] });
    expect(await told(desk)).toEqual([]);
  });

  it('refuses an id that is none, and data that is too large', async () => {
    const desk = new EventDesk();
    const bad = { code: 'invalid_request', details: [{ pointer: '/id' }] };
    await expect(desk.publish({ id: 'a/b' })).rejects.toMatchObject(bad);
    const most = 'x'.repeat(maxEventDataBytes - 2);
    await expect(desk.publish({ data: `${most}x` })).rejects.toMatchObject({ code: 'too_large' });
    expect(await told(desk)).toEqual([]);
    await desk.publish({ data: most });
    checkEvents(await told(desk));
  });

  it('is one commit, and one read when it has a name that is known', async () => {
    const plain = new EventDesk();
    const { port: records, calls, reset } = countingRecords(plain.deps.records);
    const deps = processDeps(plain.deps, { records });
    const asked = { type: submitted, data: 1, subject: null, id: 'e-1', idempotencyKey: null };
    await publishEvent(deps, plain.by(), asked);
    expect(calls.commit).toBe(1);
    reset();
    await publishEvent(deps, plain.by(), asked);
    expect(calls).toEqual({ get: 2, getMany: 0, query: 0, commit: 0 });
  });

  it('whose answer was lost may be repeated', async () => {
    const plain = new EventDesk();
    const records = faultyRecords(plain.deps.records, { commit: ['written-but-failed'] });
    const deps = processDeps(plain.deps, { records });
    const asked = { type: submitted, data: 1, subject: null, id: 'e-1', idempotencyKey: null };
    const first = await plain
      .whileTimePasses(() => publishEvent(deps, plain.by(), asked))
      .catch(() => null);
    const again = await publishEvent(deps, plain.by(), asked);
    expect([first?.id ?? 'e-1', again]).toEqual(['e-1', { status: 'known', id: 'e-1' }]);
    expect(await told(plain)).toHaveLength(1);
  });
});
