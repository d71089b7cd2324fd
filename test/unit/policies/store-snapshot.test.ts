import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex, textDigest } from '../../../src/core/packages/digest.ts';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { listPolicies } from '../../../src/core/policies/list-policies.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { journal } from '../journal/notes.ts';
import { rule, TenantCalls } from './tenant-calls.ts';

describe('storeSnapshot', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });

  it('stores a package and moves no channel', async () => {
    const upload = rule('p', { effective: '2030-01-01T00:00:00+01:00', tags: ['air'] });
    const bytes = packPolicy(upload.bytes);
    const digest = sha256Hex(bytes);
    const stored = await demo.store(upload);
    expect(stored).toEqual({
      status: 'stored',
      record: {
        snapshot: `v2026-01-01-0000-${digest.slice(0, 8)}`,
        version: '1.0.0',
        digest,
        bodyDigest: textDigest(
          '{"id":"p","version":"1.0.0","effective":"2030-01-01T00:00:00+01:00","tags":["air"]}',
        ),
        sizeBytes: bytes.byteLength,
        effectiveAt: '2029-12-31T23:00:00.000Z',
        tags: ['air'],
        entries: [
          {
            path: 'policy.yaml',
            sizeBytes: upload.bytes.byteLength,
            sha256: sha256Hex(upload.bytes),
          },
        ],
        storedAt: '2026-01-01T00:00:00.000Z',
        storedBy: 'ann',
      },
    });
    for (const channel of ['dev', 'test', 'prod'] as const) {
      expect(await demo.version(channel)).toBe('not_found');
    }
    const { snapshot } = stored.record;
    expect(await journal(deps.records)).toMatchObject([
      {
        action: 'snapshot.stored',
        subject: 'p',
        before: null,
        after: { snapshot, version: '1.0.0', digest: `sha256:${digest}` },
      },
    ]);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('lists the policy from then on, in no channel', async () => {
    await demo.store({});
    expect(await listPolicies(deps, 'demo', undefined, 10)).toEqual({
      items: [{ id: 'p', createdAt: '2026-01-01T00:00:00.000Z', channels: {} }],
      next: null,
    });
    deps.clock.set(deps.clock.nowMs() + 1000);
    await demo.publish('dev', {});
    const { items } = await listPolicies(deps, 'demo', undefined, 10);
    expect(items).toMatchObject([
      { createdAt: '2026-01-01T00:00:00.000Z', channels: { dev: { gen: 1 } } },
    ]);
  });

  it('takes the same bytes again for the same, also when they came with a publish', async () => {
    const published = await demo.publish('prod', { version: '1.0.0' });
    const { record } = await demo.store({ version: '2.0.0' });
    const { port: records, calls } = countingRecords(deps.records);
    const { port: blobs, calls: blobCalls } = countingBlobs(deps.blobs);
    const again = new TenantCalls({ ...deps, records, blobs });
    deps.clock.set(deps.clock.nowMs() + 3_600_000);
    expect(await again.store({ version: '2.0.0' })).toEqual({ status: 'unchanged', record });
    expect(await again.store({ version: '1.0.0' })).toMatchObject({
      status: 'unchanged',
      record: { snapshot: published.snapshot, storedAt: '2026-01-01T00:00:00.000Z' },
    });
    expect(calls.commit).toBe(0);
    expect(blobCalls.put).toBe(0);
    expect(await journal(deps.records)).toHaveLength(2);
  });

  it('leaves the channels of a policy as they are', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    await demo.store({ version: '2.0.0' });
    expect(await demo.version('prod')).toBe('1.0.0');
    const { items } = await listPolicies(deps, 'demo', undefined, 10);
    expect(items).toMatchObject([
      { channels: { prod: { gen: 1, current: { version: '1.0.0' } } } },
    ]);
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('stores once what many store at the same time, beside a publish of it', async () => {
    const all = await Promise.all([
      demo.store({}),
      demo.store({}),
      demo.publish('prod', {}),
      demo.store({}),
    ]);
    const digests = all.map((one) => ('record' in one ? one.record.snapshot : one.snapshot));
    expect(new Set(digests).size).toBe(1);
    const entries = await assertConsistent(deps.records, 'demo', deps);
    expect(entries.length).toBeLessThanOrEqual(2);
  });

  it('refuses the rule of another policy', async () => {
    await expect(demo.store(rule('q'))).rejects.toMatchObject({ code: 'invalid_policy' });
    expect(await journal(deps.records)).toEqual([]);
  });

  it('has room for all tags that a rule may have', async () => {
    const tags = Array.from({ length: 64 }, () => '"'.repeat(200));
    expect((await demo.store({ tags })).record.tags).toEqual(tags);
    await expect(demo.store({ tags: ['ok', '"'.repeat(201)] })).rejects.toMatchObject({
      code: 'invalid_policy',
      details: [{ pointer: '/tags/1' }],
    });
    await assertConsistent(deps.records, 'demo', deps);
  });
});
