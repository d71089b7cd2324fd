import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { listReferences } from '../../../src/core/reference/list-references.ts';
import { putReference } from '../../../src/core/reference/put-reference.ts';
import { bytesOfReference, readReference } from '../../../src/core/reference/read-reference.ts';
import { referenceLimits } from '../../../src/core/reference/reference-record.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { journal } from '../journal/notes.ts';
import { refusalOf } from '../packages/refusal-of.ts';
import { bytesOf, pointsNamed } from './geojson.ts';

const origin = (tenant = 'demo', actor = 'ann') => ({ tenant, actor, requestId: 'request-1' });
const march = bytesOf(pointsNamed('City General'));
const april = bytesOf(pointsNamed('City General', 'St. Mary'));

describe('reference data', () => {
  let deps: CoreDeps;
  beforeEach(() => {
    deps = coreDeps();
  });
  const put = (bytes: Uint8Array, name = 'hospitals', tenant = 'demo') =>
    putReference(deps, origin(tenant), name, bytes, 'ticket 7');
  const refused = (bytes: Uint8Array, name?: string) => refusalOf(() => put(bytes, name));

  it('is stored as it is, and journaled', async () => {
    const reference = {
      name: 'hospitals',
      digest: sha256Hex(march),
      sizeBytes: march.byteLength,
      features: 1,
      changedAt: '2026-01-01T00:00:00.000Z',
      changedBy: 'ann',
    };
    expect(await put(march)).toEqual({ status: 'stored', reference });
    expect(await readReference(deps, 'demo', 'hospitals')).toEqual(reference);
    expect(await bytesOfReference(deps, 'demo', reference)).toEqual(march);
    expect((await journal(deps.records))[0]).toMatchObject({
      action: 'reference.stored',
      subject: 'reference:hospitals',
      before: null,
      after: { digest: `sha256:${sha256Hex(march)}`, sizeBytes: march.byteLength, features: 1 },
      reason: 'ticket 7',
    });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('is the same when the same bytes come again', async () => {
    const first = await put(march);
    const { port: records, calls } = countingRecords(deps.records);
    const { port: blobs, calls: blobCalls } = countingBlobs(deps.blobs);
    const again = await putReference({ ...deps, records, blobs }, origin(), 'hospitals', march);
    expect(again).toEqual({ ...first, status: 'unchanged' });
    expect([calls.commit, blobCalls.put]).toEqual([0, 0]);
  });

  it('is replaced, while the old bytes stay readable', async () => {
    const { reference: old } = await put(march);
    expect((await put(april)).status).toBe('stored');
    expect((await readReference(deps, 'demo', 'hospitals')).features).toBe(2);
    expect(await bytesOfReference(deps, 'demo', old)).toEqual(march);
    expect((await put(march)).status).toBe('stored');
    const entries = await journal(deps.records);
    expect(entries.map(({ before }) => before === null)).toEqual([true, false, false]);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('is replaced once when many bring the same at the same time', async () => {
    const all = await Promise.all([put(march), put(march), put(march)]);
    expect(all.filter(({ status }) => status === 'stored')).toHaveLength(1);
  });

  it('is of its tenant, and listed by name, the same whatever the page', async () => {
    const names = ['fire-stations', 'hospitals', 'school-bus-routes', 'schools'];
    for (const name of [...names].reverse()) await put(march, name);
    await put(april, 'hospitals', 'other');
    for (let limit = 1; limit <= 5; limit += 1) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await listReferences(deps, 'demo', cursor, limit);
        found.push(...page.items.map(({ name }) => name));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      expect(found).toEqual(names);
    }
    expect((await readReference(deps, 'demo', 'hospitals')).features).toBe(1);
    for (const name of ['schools', 'Schools', 'a#b', '']) {
      await expect(readReference(deps, 'other', name)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });

  it('is refused for what is wrong with it, and nothing is stored', async () => {
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    deps = { ...deps, blobs };
    const text = (given: string) => new TextEncoder().encode(given);
    const refusals: [Uint8Array, string][] = [
      [text('{"type":"FeatureCollection","features":[],"features":[]}'), ''],
      [text('{'), ''],
      [new Uint8Array([0xff, 0xfe, 0x7b]), ''],
      [text(`${'['.repeat(40)}${']'.repeat(40)}`), ''],
      [bytesOf({ type: 'FeatureCollection', features: [{ type: 'Point' }] }), '/features/0'],
    ];
    for (const [bytes, pointer] of refusals) {
      const error = await refused(bytes);
      expect([error.code, error.details[0]?.pointer]).toEqual(['invalid_document', pointer]);
    }
    expect((await refused(march, 'Hospitals')).code).toBe('invalid_document');
    const large = new Uint8Array(referenceLimits.maxBytes + 1);
    expect((await refused(large)).code).toBe('too_large');
    expect(calls.put).toBe(0);
    expect(await journal(deps.records)).toEqual([]);
  });

  it('says what is wrong, and of how much', async () => {
    const features = [{ type: 'Feature', properties: null, geometry: null }, 7];
    const { message } = await refused(bytesOf({ type: 'FeatureCollection', features }));
    expect(message).toBe(
      'The reference data is refused: /features/0/geometry must be a geometry; ' +
        'leave out features without a place (and 1 more).',
    );
  });

  it('has room for 100 documents, which can still be replaced', async () => {
    for (let index = 0; index < referenceLimits.maxReferences; index += 1) {
      await put(march, `r-${index}`);
    }
    expect((await refused(march, 'one-more')).code).toBe('conflict');
    expect((await put(april, 'r-7')).status).toBe('stored');
  });

  it.each(['not-written', 'written-but-failed', 'conflict'] as const)(
    'is stored once when the first commit is answered with: %s',
    async (fault) => {
      const records = faultyRecords(deps.records, { commit: [fault] });
      const answer = await putReference({ ...deps, records }, origin(), 'hospitals', march);
      expect(answer.status).toBe('stored');
      expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(1);
    },
  );

  it.each(['not-written', 'written-but-failed'] as const)(
    'is as before when its bytes are %s, and can be put again',
    async (fault) => {
      const own = { ...deps, blobs: faultyBlobs(deps.blobs, { put: [fault] }) };
      const refusal = await refusalOf(() => putReference(own, origin(), 'hospitals', march));
      expect(refusal.code).toBe('unavailable');
      expect(await journal(deps.records)).toEqual([]);
      expect((await putReference(own, origin(), 'hospitals', march)).status).toBe('stored');
    },
  );
});
