import { beforeEach, describe, expect, it } from 'vitest';
import { putReference } from '../../../src/core/reference/put-reference.ts';
import { referenceIndexes } from '../../../src/core/reference/reference-indexes.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { bytesOf, pointsNamed } from './geojson.ts';

const here = { lat: 38.5, lon: -98.2 };

describe('the indexes of reference data', () => {
  let deps: CoreDeps;
  beforeEach(() => {
    deps = coreDeps();
  });
  const put = (name: string, names: readonly string[], tenant = 'demo') =>
    putReference(
      deps,
      { tenant, actor: 'ann', requestId: 'request-1' },
      name,
      bytesOf(pointsNamed(...names)),
    );
  const counted = (options?: { maxBytes: number }) => {
    const { port: records, calls } = countingRecords(deps.records);
    const { port: blobs, calls: blobCalls } = countingBlobs(deps.blobs);
    return { indexes: referenceIndexes({ records, blobs }, options), calls, blobCalls };
  };

  it('are made once, and cost one record read from then on', async () => {
    const { reference } = await put('hospitals', ['City General']);
    const { indexes, calls, blobCalls } = counted();
    const [index, same] = await Promise.all([
      indexes.load('demo', 'hospitals'),
      indexes.load('demo', 'hospitals'),
    ]);
    expect(index).toMatchObject({ name: 'hospitals', digest: reference.digest });
    expect(index?.features.within(here, 50)).toEqual([{ name: 'City General', distanceM: 0 }]);
    expect(same?.features).toBe(index?.features);
    await indexes.load('demo', 'hospitals');
    expect([calls.get, blobCalls.get]).toEqual([3, 1]);
  });

  it('are of what is stored now', async () => {
    const { indexes } = counted();
    expect(await indexes.load('demo', 'hospitals')).toBeNull();
    await put('hospitals', ['City General']);
    await put('hospitals', ['St. Mary'], 'other');
    const nameAt = async (tenant: string) =>
      (await indexes.load(tenant, 'hospitals'))?.features.within(here, 50)[0]?.name;
    expect([await nameAt('demo'), await nameAt('other')]).toEqual(['City General', 'St. Mary']);
    await put('hospitals', ['New General']);
    expect([await nameAt('demo'), await nameAt('other')]).toEqual(['New General', 'St. Mary']);
  });

  it('make room, the one used longest ago first', async () => {
    for (const name of ['a', 'b', 'c']) await put(name, [name]);
    // Small ones count for 16 KiB each.
    const { indexes, blobCalls } = counted({ maxBytes: 2 * 16 * 1024 });
    const load = (name: string) => indexes.load('demo', name);
    for (const name of ['a', 'b', 'a', 'c', 'a']) await load(name);
    expect(blobCalls.get).toBe(3);
    await load('b');
    expect(blobCalls.get).toBe(4);
    await load('a');
    expect(blobCalls.get).toBe(4);
  });

  it('are used though there is no room for one of them', async () => {
    await put('a', ['a']);
    const { indexes, blobCalls } = counted({ maxBytes: 1 });
    await indexes.load('demo', 'a');
    expect(await indexes.load('demo', 'a')).not.toBeNull();
    expect(blobCalls.get).toBe(1);
  });

  it('are tried again after a failure', async () => {
    await put('hospitals', ['City General']);
    const blobs = faultyBlobs(deps.blobs, { get: ['not-written'] });
    const indexes = referenceIndexes({ records: deps.records, blobs });
    await expect(indexes.load('demo', 'hospitals')).rejects.toMatchObject({ code: 'unavailable' });
    expect(await indexes.load('demo', 'hospitals')).not.toBeNull();
  });
});
