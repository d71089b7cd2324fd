import { beforeEach, describe, expect, it } from 'vitest';
import { textDigest } from '../../../src/core/packages/digest.ts';
import { listChannel, listPolicies, type Page } from '../../../src/core/policies/list-policies.ts';
import { listSnapshots } from '../../../src/core/policies/list-snapshots.ts';
import { readHistory } from '../../../src/core/policies/read-history.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { TenantCalls } from './tenant-calls.ts';

type ReadPage<T> = (cursor: string | undefined, limit: number) => Promise<Page<T>>;

async function pages<T>(read: ReadPage<T>, limit: number): Promise<T[][]> {
  const all: T[][] = [];
  for (let cursor: string | undefined; ;) {
    const { items, next } = await read(cursor, limit);
    all.push([...items]);
    if (next === null) return all;
    cursor = next;
  }
}

describe('lists of policies', () => {
  let deps: CoreDeps;
  const inOrder = ['A', 'B.1', 'a', 'a-b', 'a.b', 'a0', 'aa', 'b', 'z_z'];
  beforeEach(async () => {
    deps = coreDeps();
    for (const id of inOrder.toReversed()) {
      await new TenantCalls(deps, 'demo', id).publish(id.startsWith('a') ? 'prod' : 'dev', {});
    }
    await new TenantCalls(deps, 'other', 'm').publish('prod', {});
  });

  it('are in the order of their ids, the same whatever the page', async () => {
    for (let limit = 1; limit <= inOrder.length + 1; limit++) {
      const found = await pages((cursor, size) => listPolicies(deps, 'demo', cursor, size), limit);
      expect(found.flat().map(({ id }) => id)).toEqual(inOrder);
      for (const page of found.slice(0, -1)) expect(page).toHaveLength(limit);
    }
  });

  it('of a channel hold those that have a rule there', async () => {
    const wanted = inOrder.filter((id) => id.startsWith('a'));
    for (let limit = 1; limit <= wanted.length + 1; limit++) {
      const found = await pages(
        (cursor, size) => listChannel(deps, 'demo', 'prod', null, cursor, size),
        limit,
      );
      expect(found.flat().map(({ id }) => id)).toEqual(wanted);
      for (const page of found.slice(0, -1)) expect(page).toHaveLength(limit);
    }
    expect(await listChannel(deps, 'demo', 'test', null, undefined, 10)).toEqual({
      tag: 'empty',
      items: [],
      next: null,
    });
  });

  it('go on after any id, also one that is not there', async () => {
    const { items } = await listPolicies(deps, 'demo', 'a.', 3);
    expect(items.map(({ id }) => id)).toEqual(['a.b', 'a0', 'aa']);
    const channel = await listChannel(deps, 'demo', 'prod', null, 'a.', 2);
    expect(channel.items.map(({ id }) => id)).toEqual(['a.b', 'a0']);
    expect(channel.next).toBe('a0');
  });

  it('keep to the tenant', async () => {
    expect((await listPolicies(deps, 'other', undefined, 10)).items.map(({ id }) => id)).toEqual([
      'm',
    ]);
    expect(await listPolicies(deps, 'nobody', undefined, 10)).toEqual({ items: [], next: null });
    expect(await listChannel(deps, 'nobody', 'prod', null, undefined, 10)).toEqual({
      tag: 'empty',
      items: [],
      next: null,
    });
  });

  it('of a channel go over more policies than one query reads', async () => {
    const many = coreDeps();
    const writes = Array.from({ length: 2100 }, (_, i) => {
      const id = `p${String(i).padStart(4, '0')}`;
      const current = { snapshot: 's', version: '1.0.0', digest: 'd' };
      const prod = i % 700 === 699 ? { prod: { gen: 1, current, next: null } } : {};
      const value = { id, createdAt: '2026-01-01T00:00:00.000Z', channels: prod };
      return {
        kind: 'put',
        key: { partition: 'demo#policies', sort: id },
        value,
        expect: 'absent',
      } as const;
    });
    for (let i = 0; i < writes.length; i += 100) {
      await many.records.commit(writes.slice(i, i + 100), `token ${i}`);
    }
    const found = await pages(
      (cursor, size) => listChannel(many, 'demo', 'prod', null, cursor, size),
      2,
    );
    expect(found.map((page) => page.map(({ id }) => id))).toEqual([['p0699', 'p1399'], ['p2099']]);
  });
});

describe('the snapshots of a policy', () => {
  it('come newest minute first, published or only stored, the same whatever the page', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    const stored: string[] = [];
    for (let i = 0; i < 7; i++) {
      deps.clock.set(deps.clock.nowMs() + 60_000);
      const fields = { version: `${i}.0.0` };
      const record =
        i % 2 === 0 ? await demo.publish('dev', fields) : (await demo.store(fields)).record;
      stored.push(record.snapshot);
    }
    await new TenantCalls(deps, 'demo', 'p0').store({});
    for (let limit = 1; limit <= 8; limit++) {
      const found = await pages(
        (cursor, size) => listSnapshots(deps, 'demo', 'p', cursor, size),
        limit,
      );
      expect(found.flat().map(({ snapshot }) => snapshot)).toEqual(stored.toReversed());
    }
  });

  it('are not for those who have no such policy', async () => {
    const deps = coreDeps();
    await new TenantCalls(deps).store({});
    for (const [tenant, id] of [
      ['other', 'p'],
      ['demo', 'q'],
    ] as const) {
      for (const refused of [
        listSnapshots(deps, tenant, id, undefined, 10),
        readHistory(deps, tenant, id, undefined, undefined, 10),
        readHistory(deps, tenant, id, 'prod', undefined, 10),
      ]) {
        await expect(refused).rejects.toMatchObject({ code: 'not_found' });
      }
    }
    expect(await readHistory(deps, 'demo', 'p', undefined, undefined, 10)).toEqual({
      items: [],
      next: null,
    });
  });
});

describe('the history of a policy', () => {
  it('says who did what, why, and what was before', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    const a = await demo.publish('prod', { version: '1.0.0' });
    const b = await demo.publish('prod', { version: '2.0.0' }, { reason: 'less smog' });
    const { items } = await readHistory(deps, 'demo', 'p', 'prod', undefined, 10);
    const lane = { channel: 'prod', effectiveAt: null };
    const ref = ({ snapshot, version, digest }: typeof a) => ({ snapshot, version, digest });
    const hex = b.digest.slice('sha256:'.length);
    const bodyDigest = textDigest('{"id":"p","version":"2.0.0"}');
    expect(items[0]).toEqual({
      index: 1,
      at: '2026-01-01T00:00:00.000Z',
      actor: 'ann',
      action: 'policy.published',
      requestId: 'request-2',
      reason: 'less smog',
      changed: { ...lane, ...ref(b), gen: 2 },
      before: { ...lane, ...ref(a), gen: 1 },
      state: { gen: 2, current: { ...ref(b), digest: hex, bodyDigest }, next: null },
    });
    expect(items[1]).toMatchObject({ index: 0, before: null, reason: null });
    expect(items).toHaveLength(2);
  });

  it('keeps the order of what happened in one millisecond, over all channels', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    for (let i = 0; i < 12; i++) {
      await demo.publish((['dev', 'test', 'prod'] as const)[(i * 7) % 3] ?? 'dev', {
        version: `${i}.0.0`,
      });
    }
    for (let limit = 1; limit <= 13; limit++) {
      const found = await pages(
        (cursor, size) => readHistory(deps, 'demo', 'p', undefined, cursor, size),
        limit,
      );
      expect(found.flat().map(({ index }) => index)).toEqual(
        Array.from({ length: 12 }, (_, i) => 11 - i),
      );
      expect(found).toHaveLength(Math.ceil(12 / limit));
    }
  });

  it('is not disturbed by what happens between two pages', async () => {
    const deps = coreDeps();
    const demo = new TenantCalls(deps);
    for (let i = 0; i < 6; i++) await demo.publish('prod', { version: `${i}.0.0` });
    const first = await readHistory(deps, 'demo', 'p', undefined, undefined, 2);
    await demo.publish('dev', { version: '6.0.0' });
    await demo.publish('prod', { version: '7.0.0' });
    const rest = await readHistory(deps, 'demo', 'p', undefined, first.next ?? '', 10);
    expect([...first.items, ...rest.items].map(({ index }) => index)).toEqual([5, 4, 3, 2, 1, 0]);
  });
});
