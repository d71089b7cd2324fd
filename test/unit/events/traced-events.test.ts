import { expect, it } from 'vitest';
import { deliveredEvent, publishedEvent } from '../../../src/contract/event-schemas.ts';
import { EventDesk } from './event-desk.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const spanOf = (header: string | undefined) => header?.split('-').slice(1, 3) ?? [];

it('an event goes on in the trace of who published it: on the bus, and to each service', async () => {
  const desk = new EventDesk();
  await desk.subscribe('email');
  await desk.publish({ id: 'e-1' }, { ...desk.by(), traceparent });
  await desk.relay();
  const [event] = desk.deps.bus.events;
  expect(publishedEvent.parse(event)).toEqual(event);
  expect(event).toMatchObject({ id: 'e-1', traceparent });
  desk.answer = () => ({ outcome: 'failed', detail: 'HTTP 503' });
  await desk.deliver();
  await desk.clock.advance(1000);
  await desk.deliver();
  for (const { notice } of desk.sent) {
    const body = deliveredEvent.parse(JSON.parse(notice.body));
    expect(body.traceparent).toBe(traceparent);
    expect(spanOf(notice.traceparent)[0]).toBe(traceId);
  }
  const spans = desk.sent.map(({ notice }) => notice.traceparent);
  expect(new Set([traceparent, ...spans]).size).toBe(3);
});

it('an event of no known trace begins one where it is delivered', async () => {
  const desk = new EventDesk();
  await desk.subscribe('email');
  await desk.publish({ id: 'e-1' });
  await desk.relay();
  await desk.deliver();
  const [sent] = desk.sent;
  expect(desk.deps.bus.events[0]).not.toHaveProperty('traceparent');
  expect(JSON.parse(sent?.notice.body ?? '')).not.toHaveProperty('traceparent');
  expect(sent?.notice.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

it('the same event in another trace is a repeat', async () => {
  const desk = new EventDesk();
  await desk.publish({ id: 'e-1' }, { ...desk.by(), traceparent });
  expect(await desk.publish({ id: 'e-1' })).toEqual({ id: 'e-1', status: 'known' });
});
