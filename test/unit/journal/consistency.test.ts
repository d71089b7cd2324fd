import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cachedRecords } from '../../../src/adapters/local/cached-records.ts';
import { openSqliteRecords } from '../../../src/adapters/local/sqlite-records.ts';
import { addAttachment } from '../../../src/core/attachments/attachments.ts';
import { activateDue } from '../../../src/core/policies/activate-due.ts';
import {
  policyPartition,
  summariesPartition,
  waitingPartition,
} from '../../../src/core/policies/policy-keys.ts';
import type { Json } from '../../../src/core/values/json.ts';
import type { RecordStore, StoredRecord } from '../../../src/ports/record-store.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps, SleeplessClock } from '../../support/core-deps.ts';
import { tampered } from '../../support/tampered-records.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';

/** A bit of everything, in two tenants. */
async function busyTenants(given: Partial<CoreDeps> = {}): Promise<CoreDeps> {
  const deps = coreDeps(given);
  const { clock } = deps;
  for (const tenant of ['demo', 'other']) {
    const demo = new TenantCalls(deps, tenant);
    await demo.store({ version: '0.1.0' });
    await demo.publish('dev', { version: '1.0.0' });
    await demo.publish('dev', { version: '2.0.0', text: 'x'.repeat(120_000) }, { reason: 'why' });
    const soon = new Date(clock.nowMs() + 1000).toISOString();
    await demo.publish('dev', { version: '3.0.0', effective: soon });
    await demo.promote('dev', 'test');
    clock.set(clock.nowMs() + 1000);
    await activateDue(deps);
    await demo.rollback('dev');
    await demo.publish('prod', { version: '4.0.0', effective: '2030-01-01T00:00:00Z' });
    const document = { name: 'a.txt', contentType: 'text/plain', reason: null };
    await addAttachment(deps, demo.origin(), 'p', { ...document, bytes: new Uint8Array([1]) });
  }
  return deps;
}

/** The value with one leaf changed, for each leaf that `wanted` takes. */
function* withOneLeafChanged(value: Json, wanted: RegExp, path = ''): Generator<[string, Json]> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      for (const [where, other] of withOneLeafChanged(inner, wanted, `${path}/${key}`)) {
        yield [where, isList(value) ? value.with(Number(key), other) : { ...value, [key]: other }];
      }
    }
  } else if (wanted.test(path)) {
    yield [path, typeof value === 'number' ? value + 1 : `${value}x`];
  }
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

describe('assertConsistent', () => {
  let deps: CoreDeps;
  let held: StoredRecord[];

  beforeAll(async () => {
    deps = await busyTenants();
    const partitions = [
      policyPartition('demo', 'p'),
      summariesPartition('demo'),
      'demo#state',
      'demo#journal',
      waitingPartition,
    ];
    const found = await Promise.all(
      partitions.map((partition) => deps.records.query({ partition, limit: 1000 })),
    );
    held = found.flat().filter(({ key }) => !key.sort.includes('#other#'));
  });

  const check = (records: RecordStore) => assertConsistent(records, 'demo', { blobs: deps.blobs });

  it('is content with what the use cases leave behind', async () => {
    expect(await check(deps.records)).toHaveLength(10);
    expect(await assertConsistent(deps.records, 'other', { blobs: deps.blobs })).toHaveLength(10);
    expect(await assertConsistent(deps.records, 'nobody')).toEqual([]);
    const kinds = new Set(held.map(({ key }) => key.sort.split('#')[0]));
    expect([...kinds].sort((a = '', b = '') => (a < b ? -1 : 1))).toEqual([
      '2030-01-01T00:00:00.000Z',
      'attached',
      'attachment',
      'body',
      'channel',
      'channel-head',
      'digest',
      'entry',
      'journal-head',
      'p',
      'snapshot',
      'timeline',
      'version',
    ]);
  });

  it('is content with any store', async () => {
    const clock = new SleeplessClock();
    const folder = await mkdtemp(join(tmpdir(), 'hms-consistency-'));
    const store = await openSqliteRecords({ file: join(folder, 'hms.sqlite'), clock });
    const records = cachedRecords(store, { maxBytes: 1_000_000, clock });
    const { blobs } = await busyTenants({ clock, records });
    for (const each of [store, records]) {
      expect(await assertConsistent(each, 'demo', { blobs })).toHaveLength(10);
    }
    store.close();
    await rm(folder, { recursive: true });
  });

  it('notices when any record is missing', async () => {
    for (const { key } of held) {
      const records = tampered(deps.records, key, () => undefined);
      await expect(check(records), `${key.partition} ${key.sort}`).rejects.toThrow();
    }
  });

  it('notices when anything that the journal tells is otherwise', async () => {
    // Of a package the journal tells what it is, not what is in it.
    const told = /^\/(?:snapshot|version|digest|bodyDigest|storedAt|storedBy)$/;
    let changed = 0;
    for (const { key, value } of held.filter(({ key: { sort } }) => !sort.startsWith('entry#'))) {
      const wanted = /^(?:snapshot|body)#/.test(key.sort) ? told : /^/;
      for (const [path, other] of withOneLeafChanged(value, wanted)) {
        changed += 1;
        const records = tampered(deps.records, key, (record) => ({ ...record, value: other }));
        await expect(check(records), `${key.sort} ${path}`).rejects.toThrow();
      }
    }
    expect(changed).toBeGreaterThan(150);
  });

  it('notices when the journal tells something else', async () => {
    const wanted =
      /^\/(?:index|at|subject|(?:before|after)\/(?:channel|snapshot|digest|gen|version))$/;
    for (const { key, value } of held.filter(({ key: { sort } }) => sort.startsWith('entry#'))) {
      for (const [path, other] of withOneLeafChanged(value, wanted)) {
        const records = tampered(deps.records, key, (record) => ({ ...record, value: other }));
        await expect(check(records), `${key.sort} ${path}`).rejects.toThrow();
      }
    }
  });

  it('notices a record too many', async () => {
    for (const key of [
      { partition: policyPartition('demo', 'p'), sort: `digest#${'0'.repeat(64)}` },
      { partition: policyPartition('demo', 'p'), sort: 'channel#nightly' },
      { partition: summariesPartition('demo'), sort: 'q' },
      { partition: 'demo#journal', sort: 'entry#000000000010' },
    ]) {
      const fresh = await busyTenants();
      const value = { gen: 1, current: null, next: null, earlier: [], channels: {} };
      const writes = [{ kind: 'put', key, value, expect: 'absent' }] as const;
      expect(await fresh.records.commit(writes, 'a token')).toBe('committed');
      await expect(assertConsistent(fresh.records, 'demo'), key.sort).rejects.toThrow();
    }
  });

  it('notices a blob that is missing or another', async () => {
    for (const bytes of [undefined, new Uint8Array([0])]) {
      const blobs = { ...deps.blobs, get: async () => bytes };
      await expect(assertConsistent(deps.records, 'demo', { blobs })).rejects.toThrow('blob');
    }
  });
});
