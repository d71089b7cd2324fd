import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/values/json.ts';
import type { RecordKey, RecordStore, StoredRecord } from '../../../src/ports/record-store.ts';
import { jobJournalsOf } from '../../../src/core/jobs/job-keys.ts';
import { assertJobsConsistent } from '../../support/derive-jobs.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { tampered } from '../../support/tampered-records.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

/** Jobs that have come to all kinds of ends, and some that have not. */
async function someJobs(): Promise<JobDesk> {
  const desk = new JobDesk();
  const worker = new OutsideWorker(desk);
  for (let i = 0; i < 12; i++) {
    const { id } = await desk.submit({ type: outsideType, maxAttempts: 2 });
    await desk.clock.advance(5);
    if (i % 6 === 0) continue;
    const leased = await worker.leaseOne({ leaseMs: 600_000 });
    if (i % 6 === 1) await worker.complete(leased);
    if (i % 6 === 2) await worker.fail(leased, { retryAfterMs: 600_000 });
    if (i % 6 === 3) await worker.fail(leased, { final: true });
    if (i % 6 === 4) await desk.cancel(id).catch(() => undefined);
    if (i % 6 === 5) await worker.progress(leased, 50);
  }
  return desk;
}

/** Every record of the jobs of `demo`. */
async function keysOf(records: RecordStore): Promise<RecordKey[]> {
  const partitions = [
    ...jobJournalsOf('demo', 2).flatMap((journal) => [
      `${journal}#journal`,
      `${journal}#records`,
      `${journal}#state`,
    ]),
    `demo#open-jobs#${outsideType}`,
    'demo#dead-jobs',
  ];
  const pages = await Promise.all(
    partitions.map((partition) => records.query({ partition, limit: 1000 })),
  );
  return pages.flat().map(({ key }) => key);
}

/** The value with one of its leaves changed, for each of them. */
function variants(value: Json): Json[] {
  if (typeof value === 'number') return [value + 1];
  if (typeof value === 'string') return [`${value}x`];
  if (typeof value === 'boolean') return [!value];
  if (value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((inner: Json, at) =>
      variants(inner).map((other) => value.with(at, other)),
    );
  }
  return Object.entries(value).flatMap(([name, inner]: [string, Json]) =>
    variants(inner).map((other) => withPart(value, name, other)),
  );
}

function withPart(value: Json, name: string, part: Json): Json {
  return { ...(value as { readonly [key: string]: Json }), [name]: part };
}

/** What no entry tells, or none tells all of. */
const untold = new Set([
  'data',
  'maxAttempts',
  'reported',
  'lease',
  'progress',
  'history',
  'visibleAtMs',
]);

function isNoticed(records: RecordStore): Promise<boolean> {
  return assertJobsConsistent(records, 'demo', 2).then(
    () => false,
    () => true,
  );
}

describe('assertJobsConsistent', () => {
  it('finds nothing wrong with what jobs have become, and answers them', async () => {
    const desk = await someJobs();
    expect(await assertJobsConsistent(desk.deps.records, 'demo', 2)).toHaveLength(12);
    expect(await assertJobsConsistent(desk.deps.records, 'nobody', 2)).toEqual([]);
  });

  it('notices when a record is missing', async () => {
    const { records } = (await someJobs()).deps;
    const missed: string[] = [];
    for (const key of await keysOf(records)) {
      if (!(await isNoticed(tampered(records, key, () => undefined)))) missed.push(key.sort);
    }
    expect(missed).toEqual([]);
  });

  it.each([`demo#open-jobs#${outsideType}`, 'demo#dead-jobs'])(
    'notices a place that is nobody’s in %s',
    async (partition) => {
      const { records } = (await someJobs()).deps;
      const key = { partition, sort: '1#000000000000000#nobody' };
      const put = { kind: 'put', key, value: { id: 'nobody' }, expect: 'absent' } as const;
      await records.commit([put], 'nobody');
      expect(await isNoticed(records)).toBe(true);
    },
  );

  it('notices when a record is otherwise than the entries tell', async () => {
    const { records } = (await someJobs()).deps;
    const missed = new Set<string>();
    for (const key of await keysOf(records)) {
      if (key.partition.endsWith('#journal')) continue;
      const { value } = (await records.get(key))!;
      for (const [name, part] of Object.entries(value as Record<string, Json>)) {
        for (const other of variants(part)) {
          const change = (record: StoredRecord): StoredRecord => ({
            ...record,
            value: withPart(value, name, other),
          });
          if (!(await isNoticed(tampered(records, key, change)))) missed.add(name);
        }
      }
    }
    expect([...missed].filter((name) => !untold.has(name))).toEqual([]);
  });
});
