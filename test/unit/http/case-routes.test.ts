import { beforeEach, describe, expect, it } from 'vitest';
import { placeFrom } from '../geo/places.ts';
import { pointsNamed } from '../reference/geojson.ts';
import { PlaceDesk } from './place-desk.ts';

const here = { lat: 38.5012, lon: -98.2004 };
const openedAt = '2026-01-01T00:00:00.000Z';

describe('cases over HTTP', () => {
  let desk: PlaceDesk;
  beforeEach(async () => {
    desk = new PlaceDesk();
    await desk.knows('hospitals', pointsNamed('City General'));
    await desk.report(here);
  });

  it('are answered by their id, open and closed', async () => {
    const { body } = await desk.ask('crew', 'GET /cases/CASE-1');
    expect(body).toMatchObject({
      id: 'CASE-1',
      status: 'open',
      location: here,
      urgency: 'critical',
      references: [{ name: 'hospitals', digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }],
      closed: null,
    });
    await desk.done('case.close', { case: 'CASE-1', note: 'filled' }, 'crew-4');
    expect((await desk.ask('crew', 'GET /cases/CASE-1')).body).toEqual({
      ...body,
      status: 'closed',
      closed: { at: openedAt, by: 'crew-4', note: 'filled', job: 'job-2' },
    });
  });

  it('are found around a place', async () => {
    await desk.report(placeFrom(here, 100.4, 90));
    const near = `near=${here.lat},${here.lon}`;
    const first = {
      id: 'CASE-1',
      kind: 'pothole',
      location: here,
      urgency: 'critical',
      openedAt,
      distanceM: 0,
    };
    const { body } = await desk.ask('crew', `GET /cases?${near}`);
    expect(body).toMatchObject({ items: [first, { id: 'CASE-2', distanceM: 100 }], more: false });
    for (const [query, expected] of [
      [`${near}&radius=100`, { items: [first], more: false }],
      [`${near}&limit=1`, { items: [first], more: true }],
      ['near=-38.5012,98', { items: [], more: false }],
      ['near=85,-180', { items: [], more: false }],
    ] as const) {
      expect((await desk.ask('crew', `GET /cases?${query}`)).body).toEqual(expected);
    }
  });

  it.each([
    ['', 'query:near'],
    ['near=', 'query:near'],
    ['near=38.5', 'query:near'],
    ['near=38.5,-98.2,7', 'query:near'],
    ['near=38.5;-98.2', 'query:near'],
    ['near=38.5,%20-98.2', 'query:near'],
    ['near=1e1,-98.2', 'query:near'],
    ['near=NaN,-98.2', 'query:near'],
    ['near=-98.2,38.5', 'query:near'],
    ['near=86,38.5', 'query:near'],
    ['near=38.5,180.1', 'query:near'],
    ['near=38.5,-98.2&radius=1001', 'query:radius'],
    ['near=38.5,-98.2&radius=0', 'query:radius'],
    ['near=38.5,-98.2&radius=x', 'query:radius'],
    ['near=38.5,-98.2&limit=201', 'query:limit'],
  ])('are not found around %j', async (query, pointer) => {
    expect(await desk.refused(400, 'crew', `GET /cases?${query}`)).toEqual([pointer]);
  });

  it('are told to those who may read jobs, of their tenant', async () => {
    await desk.refused(403, 'reader', 'GET /cases/CASE-1');
    await desk.refused(403, 'reader', 'GET /cases?near=38.5012,-98.2004');
    await desk.refused(404, 'stranger', 'GET /cases/CASE-1');
    await desk.refused(404, 'crew', 'GET /cases/CASE-2');
    await desk.refused(400, 'crew', 'GET /cases/7');
    const { body } = await desk.ask('stranger', 'GET /cases?near=38.5012,-98.2004');
    expect(body).toEqual({ items: [], more: false });
  });

  it('say what a place is', async () => {
    const { text } = await desk.ask('crew', 'GET /cases?near=here');
    expect(text).toContain('latitude,longitude in degrees, such as near=38.5012,-98.2004');
  });
});
