import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { bytesOf, pointsNamed } from '../reference/geojson.ts';
import { PlaceDesk } from './place-desk.ts';

const put = 'PUT /api/reference/hospitals';
const get = 'GET /api/reference/hospitals';
const body = bytesOf(pointsNamed('City General'));
const digest = `sha256:${sha256Hex(body)}`;

describe('reference data over HTTP', () => {
  let desk: PlaceDesk;
  beforeEach(() => {
    desk = new PlaceDesk();
  });

  it('is stored, listed, and answered as it is', async () => {
    const made = await desk.ask('editor', put, { body, headers: { 'x-reason': 'ticket 7' } });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe('/api/reference/hospitals');
    const { status, ...light } = made.body;
    expect([status, light]).toEqual([
      'stored',
      {
        name: 'hospitals',
        digest,
        sizeBytes: body.byteLength,
        features: 1,
        changedAt: '2026-01-01T00:00:00.000Z',
        changedBy: 'editor',
      },
    ]);
    const again = await desk.ask('editor', put, { body, type: 'application/json' });
    expect([again.status, again.body]).toEqual([200, { ...light, status: 'unchanged' }]);
    const told = await desk.ask('reader', get);
    expect([told.status, told.headers.get('content-type'), told.text]).toEqual([
      200,
      'application/geo+json',
      new TextDecoder().decode(body),
    ]);
    expect((await desk.ask('reader', 'GET /api/reference')).body).toEqual({
      items: [light],
      next: null,
    });
  });

  it('is asked for again without a body', async () => {
    await desk.ask('editor', put, { body });
    const tag = (await desk.ask('reader', get)).headers.get('etag') ?? '';
    expect(tag).toBe(`"${digest}"`);
    for (const known of [tag, `W/${tag}`, digest]) {
      const told = await desk.ask('reader', get, { headers: { 'if-none-match': known } });
      expect([told.status, told.text, told.headers.get('etag')]).toEqual([304, '', tag]);
    }
    await desk.ask('editor', put, { body: bytesOf(pointsNamed('St. Mary')) });
    const told = await desk.ask('reader', get, { headers: { 'if-none-match': tag } });
    expect(told.status).toBe(200);
  });

  it('is listed page by page', async () => {
    for (const name of ['a', 'b', 'c']) {
      await desk.ask('editor', `PUT /api/reference/${name}`, { body });
    }
    const first = (await desk.ask('reader', 'GET /api/reference?limit=2')).body;
    expect(first['items']).toMatchObject([{ name: 'a' }, { name: 'b' }]);
    const next = String(first['next']);
    const second = (await desk.ask('reader', `GET /api/reference?limit=2&cursor=${next}`)).body;
    expect(second).toMatchObject({ items: [{ name: 'c' }], next: null });
    await desk.refused(400, 'reader', 'GET /api/reference?cursor=QUFB');
  });

  it('is refused with the place of what is wrong', async () => {
    const wrong = { body: '{"type":"FeatureCollection","features":[{}]}' };
    expect(await desk.refused(422, 'editor', put, wrong)).toEqual(['/features/0']);
    await desk.refused(422, 'editor', put, { body: '' });
    await desk.refused(415, 'editor', put, { body, type: 'text/csv' });
    await desk.refused(400, 'editor', 'PUT /api/reference/Hospitals', { body });
    await desk.refused(413, 'editor', put, { body: new Uint8Array(4 * 1024 * 1024 + 1) });
    await desk.refused(403, 'reader', put, { body });
    await desk.refused(404, 'reader', get);
  });

  it('is not told to strangers', async () => {
    await desk.ask('editor', put, { body });
    await desk.refused(404, 'stranger', get);
    const { body: listed } = await desk.ask('stranger', 'GET /api/reference');
    expect(listed).toEqual({ items: [], next: null });
  });
});
