import { beforeEach, describe, expect, it } from 'vitest';
import { findSnapshot } from '../../../src/core/policies/find-snapshot.ts';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { rule, TenantCalls } from './tenant-calls.ts';

describe('findSnapshot', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });

  const find = (name: string) => findSnapshot(deps, 'demo', 'p', name);
  const nextMinute = () => deps.clock.set(deps.clock.nowMs() + 60_000);

  it('knows a snapshot by id, digest, version and any prefix that fits it alone', async () => {
    const { record } = await demo.store({ version: '1.2.3-rc.1+build.5' });
    nextMinute();
    const { record: other } = await demo.store({ version: '1.2.3' });
    for (const name of [
      record.snapshot,
      'v2026-01-01-0000',
      record.snapshot.slice(0, -1),
      record.snapshot.slice(0, -7),
      `sha256:${record.digest}`,
      record.digest,
      `sha256:${record.digest.slice(0, 12)}`,
      record.digest.slice(0, 8),
      record.digest.slice(0, 4),
      '1.2.3-rc.1+build.5',
    ]) {
      expect(await find(name), name).toEqual(record);
    }
    expect(await find('1.2.3')).toEqual(other);
    expect(await find('v2026-01-01-0001')).toEqual(other);
  });

  it('knows no snapshot by less, or by something else', async () => {
    const { record } = await demo.store({ version: '1.2.3' });
    const { digest } = record;
    for (const name of [
      digest.slice(0, 3),
      `sha256:${digest.slice(0, 3)}`,
      digest.toUpperCase(),
      digest.slice(1),
      `${digest}0`,
      `${record.snapshot}0`,
      '1.2',
      '1.2.3#',
      '1.2.3+build',
      'v',
      'v1.2.3',
      'v2025',
      'channel#prod',
      '~',
    ]) {
      await expect(find(name), name).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining(`"${name}"`),
      });
    }
  });

  it('asks back when a name fits several, and names them', async () => {
    const a = await demo.store({ version: '1.0.0', limit: 1 });
    const b = await demo.store({ version: '1.0.0', limit: 2 });
    nextMinute();
    const c = await demo.store({ version: '2.0.0' });
    const ids = (...stored: { record: { snapshot: string } }[]) =>
      stored
        .map(({ record }) => record.snapshot)
        .toSorted()
        .map((detail) => ({ pointer: '/snapshot', detail }));
    for (const [name, details] of [
      ['1.0.0', ids(a, b)],
      ['v2026-01-01-0000-', ids(a, b)],
      ['v2026', ids(a, b, c)],
    ] as const) {
      await expect(find(name), name).rejects.toMatchObject({
        code: 'ambiguous_snapshot',
        retryable: false,
        details,
      });
    }
  });

  it('asks back when the first digits of a digest fit several', async () => {
    const seen = new Map<string, number>();
    let twins: [number, number] | undefined;
    for (let limit = 0; twins === undefined; limit++) {
      const prefix = sha256Hex(packPolicy(rule('p', { limit }).bytes)).slice(0, 4);
      const twin = seen.get(prefix);
      if (twin !== undefined) twins = [twin, limit];
      seen.set(prefix, limit);
    }
    const [a, b] = await Promise.all(twins.map((limit) => demo.store({ limit })));
    const digests = [a, b].map((one) => one?.record.digest ?? '');
    const details = [a, b].map((one) => ({ detail: one?.record.snapshot }));
    const prefix = digests[0]?.slice(0, 4) ?? '';
    for (const name of [prefix, `sha256:${prefix}`]) {
      await expect(find(name)).rejects.toMatchObject({ code: 'ambiguous_snapshot' });
      await expect(find(name)).rejects.toMatchObject({
        details: expect.arrayContaining(details.map((one) => expect.objectContaining(one))),
      });
    }
    for (const digest of digests) expect((await find(digest)).digest).toBe(digest);
  });

  it('names ten candidates at the most', async () => {
    for (let limit = 0; limit < 12; limit++) await demo.store({ limit });
    const error = await find('1.0.0').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ambiguous_snapshot' });
    expect(error).toHaveProperty('details.length', 10);
  });

  it('does not know those of another policy or tenant', async () => {
    const { record } = await demo.store({ version: '1.0.0' });
    await new TenantCalls(deps, 'demo', 'q').store({ version: '2.0.0' });
    await new TenantCalls(deps, 'other').store({ version: '3.0.0' });
    for (const name of [record.snapshot, record.digest, `sha256:${record.digest}`, '1.0.0', 'v2']) {
      const foreign = findSnapshot(deps, 'stranger', 'p', name);
      await expect(foreign, name).rejects.toMatchObject({ code: 'not_found' });
    }
    for (const name of ['2.0.0', '3.0.0']) {
      await expect(find(name)).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(findSnapshot(deps, 'demo', 'q', record.snapshot)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await find('v2')).digest).toBe(record.digest);
  });
});
