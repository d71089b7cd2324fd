import { expect, it } from 'vitest';
import { checkEvents } from '../../../src/adapters/runtime/event-limits.ts';
import { manifestLimits } from '../../../src/core/registry/check-manifest.ts';
import { serviceEventsOf } from '../../../src/core/registry/service-events.ts';
import { count, journal } from '../journal/notes.ts';
import { secondMs, ServiceDesk, startMs } from './service-desk.ts';

it('each entry about a service is an event, without its addresses', async () => {
  const desk = new ServiceDesk();
  await count(desk.deps);
  await desk.put('maya');
  desk.probe.answer = () => 503;
  await desk.probed('maya');
  await desk.put('maya', { routes: ['/check'] });
  await desk.remove('maya');
  const entries = await journal(desk.deps.records, 'demo');
  const events = entries.flatMap((entry) => serviceEventsOf('demo', entry));
  checkEvents(events);
  const since = new Date(startMs).toISOString();
  const at = new Date(startMs + 10 * secondMs).toISOString();
  const green = { status: 'green', reason: 'answered 200', since, targets: 1, up: 1 };
  const reason = 'answered 503, 1 of 2 in a row';
  const yellow = { status: 'yellow', reason, since: at, targets: 1, up: 1 };
  expect(events.map(({ type, data }) => [type, data])).toEqual([
    [
      'service.registered',
      {
        tenant: 'demo',
        service: 'maya',
        health: green,
        before: null,
        action: 'service.registered',
        actor: 'ann',
        index: 1,
        at: since,
      },
    ],
    [
      'service.health',
      expect.objectContaining({ health: yellow, before: green, actor: 'hms-svc' }),
    ],
    ['service.changed', expect.objectContaining({ health: yellow, before: null })],
    ['service.removed', expect.objectContaining({ health: null, before: null })],
  ]);
  expect(events[1]).toMatchObject({
    id: 'demo/2/service.health',
    source: 'hms.services',
    subject: 'service:maya',
    time: at,
  });
  expect(JSON.stringify(events)).not.toContain('maya.example');
});

it('the largest manifest has room in the journal and in its event', async () => {
  const { maxUrlChars, maxReplicas, maxPathChars, maxRoutes, maxEventTypeChars, maxEventTypes } =
    manifestLimits;
  const long = (start: string, i: number, chars: number): string =>
    `${start}${i}`.padEnd(chars, 'x');
  const many = (length: number, make: (i: number) => string): string[] =>
    Array.from({ length }, (_, i) => make(i));
  const url = (i: number): string => long(`https://a.example/`, i, maxUrlChars);
  const types = many(maxEventTypes, (i) => long('t', i, maxEventTypeChars));
  const path = long('/p', 0, maxPathChars);
  const desk = new ServiceDesk();
  const large = {
    url: url(100),
    replicas: many(maxReplicas, url),
    secondaryUrl: url(101),
    routes: many(maxRoutes, (i) => long('/r', i, maxPathChars)),
    events: { publishes: types, subscribes: types.map((type) => ({ type, path })) },
  };
  await desk.put('maya', large);
  await desk.put('maya', { ...large, timeoutMs: 1000 });
  const [, changed] = await journal(desk.deps.records, 'demo');
  expect(JSON.stringify(changed).length).toBeGreaterThan(80_000);
  if (changed !== undefined) checkEvents(serviceEventsOf('demo', changed));
});
