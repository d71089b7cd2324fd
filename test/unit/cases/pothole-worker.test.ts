import { beforeEach, describe, expect, it } from 'vitest';
import { caseOpened, crewNotified } from '../../../src/contract/case-schemas.ts';
import { readCase } from '../../../src/core/cases/find-cases.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { placeFrom } from '../geo/places.ts';
import { pointsNamed } from '../reference/geojson.ts';
import { CaseDesk } from './case-desk.ts';

const here = { lat: 38.5012, lon: -98.2004 };
const hospital = { lat: 38.5, lon: -98.2 };
const street = (lat: number) => ({
  type: 'FeatureCollection',
  features: [
    {
      type: 'Feature',
      properties: { name: 'Route 12' },
      geometry: {
        type: 'LineString',
        coordinates: [
          [-98.3, lat],
          [-98.1, lat],
        ],
      },
    },
  ],
});

describe('a report of a pothole', () => {
  let desk: CaseDesk;
  beforeEach(() => {
    desk = new CaseDesk();
  });

  it('becomes a case, and two events, and a result', async () => {
    const hospitals = await desk.knows('hospitals', pointsNamed('City General'));
    const routes = await desk.knows('school-bus-routes', street(38.51));
    desk.deps.clock.set(desk.deps.clock.nowMs() + 1000);
    const urgency = 'critical';
    const reasons = [
      '138 m from the hospital City General (up to 500 m is critical)',
      'no school-bus route within 50 m',
    ];
    const outcome = await desk.report(here, { reporter: 'ravi' });
    const told = { case: 'CASE-1', kind: 'pothole', urgency, reasons, location: here };
    const openedAt = '2026-01-01T00:00:01.000Z';
    expect(outcome).toEqual({
      kind: 'completed',
      result: { case: 'CASE-1', urgency, reasons },
      events: [
        { type: 'case.opened', subject: 'CASE-1', data: { ...told, openedAt } },
        {
          type: 'crew.notified',
          subject: 'CASE-1',
          data: { ...told, crew: 'road-repair', description: 'deep hole' },
        },
      ],
      progress: [
        '10 looking for hospitals and school-bus routes nearby',
        '60 the urgency is critical',
      ],
    });
    if (outcome.kind !== 'completed') return;
    const [opened, notified] = outcome.events.map(({ data }) => data);
    expect(caseOpened.strict().parse(opened)).toEqual(opened);
    expect(crewNotified.strict().parse(notified)).toEqual(notified);
    expect(await readCase(desk.deps, 'demo', 'CASE-1')).toEqual({
      id: 'CASE-1',
      kind: 'pothole',
      location: here,
      urgency,
      reasons,
      references: [
        { name: 'hospitals', digest: hospitals },
        { name: 'school-bus-routes', digest: routes },
      ],
      description: 'deep hole',
      reportedBy: 'ravi',
      openedAt,
      job: 'job-1',
      crewNotice: { crew: 'road-repair', at: openedAt },
      closed: null,
    });
  });

  it.each([
    ['critical', 499, 60],
    ['critical', 499, 40],
    ['high', 501, 49],
    ['normal', 501, 51],
  ] as const)('is %s at %i m from a hospital and %i m from a bus', async (urgency, far, wide) => {
    const place = placeFrom(hospital, far, 0);
    await desk.knows('hospitals', pointsNamed('City General'));
    await desk.knows('school-bus-routes', street(placeFrom(place, wide, 0).lat));
    expect(await desk.report(place)).toMatchObject({ kind: 'completed', result: { urgency } });
  });

  it('is normal where nobody knows of hospitals and buses, and says so', async () => {
    expect(await desk.report(here)).toMatchObject({
      result: {
        urgency: 'normal',
        reasons: [
          'no hospital is known: there is no reference data "hospitals"',
          'no school-bus route is known: there is no reference data "school-bus-routes"',
        ],
      },
    });
    expect((await readCase(desk.deps, 'demo', 'CASE-1')).references).toEqual([]);
  });

  it('counts what is stored when it is worked on', async () => {
    await desk.report(here);
    await desk.knows('hospitals', pointsNamed('City General'));
    const next = placeFrom(here, 100, 0);
    expect(await desk.report(next)).toMatchObject({ result: { urgency: 'critical' } });
  });

  it('is rejected when it is of an open case, with the case and the distance', async () => {
    await desk.report(here);
    const rejected = (reason: string) => ({ kind: 'rejected', validator: 'duplicate', reason });
    expect(await desk.report(placeFrom(here, 20, 70))).toEqual(
      rejected('CASE-1 is open for a pothole 20 m from here'),
    );
    expect(await desk.report(here)).toEqual(rejected('CASE-1 is open for a pothole 0 m from here'));
    expect(await desk.report(placeFrom(here, 29.99, 200))).toMatchObject({ kind: 'rejected' });
    expect(await desk.report(placeFrom(here, 30.01, 200))).toMatchObject({ kind: 'completed' });
    // Of two cases it is the nearer one.
    expect(await desk.report(placeFrom(here, 25, 200))).toEqual(
      rejected('CASE-5 is open for a pothole 5 m from here'),
    );
  });

  it('is another case for another tenant', async () => {
    await desk.report(here);
    const other = new CaseDesk(desk.deps, 'other');
    expect(await other.report(here)).toMatchObject({ kind: 'completed' });
  });

  it.each([
    ['the place that no device knows', { lat: 0, lon: 0 }],
    ['the sea around it', { lat: 0.005, lon: -0.005 }],
    ['the ice', { lat: -85.1, lon: 100 }],
  ])('is not from %s', async (_, place) => {
    expect(await desk.report(place)).toMatchObject({ kind: 'rejected', validator: 'location' });
  });

  it('may be from the equator, the meridian, and far north', async () => {
    for (const place of [
      { lat: 0, lon: 32.5 },
      { lat: 51.4779, lon: 0 },
      { lat: 78.22, lon: 15.64 },
      { lat: 85, lon: -180 },
    ]) {
      expect(await desk.report(place)).toMatchObject({ kind: 'completed' });
    }
  });

  it('is by the subject of the job', async () => {
    expect(await desk.report(here, { reporter: 'maya' })).toMatchObject({
      kind: 'rejected',
      validator: 'identity',
    });
    const nobody = await desk.done('pothole.report', { ...here, description: 'x' }, ' ');
    expect(nobody).toMatchObject({ kind: 'rejected', validator: 'identity' });
  });

  it.each<Readonly<Record<string, Json>>>([
    { lat: 91, lon: 0, description: 'x' },
    { lat: '38.5', lon: 0, description: 'x' },
    { lat: 38.5, lon: 0 },
    { lat: 38.5, lon: 0, description: 'two\nlines' },
    { lat: 38.5, lon: 0, description: 'x'.repeat(501) },
    { lat: 38.5, lon: 0, description: 'x', urgent: true },
  ])('is not %j', async (data) => {
    await expect(desk.done('pothole.report', data)).rejects.toThrow('path');
  });
});
