import { describe, expect, it } from 'vitest';
import { GovernanceCache } from '../../../src/core/governance/governance-cache.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';
import { Governed, report } from './governed.ts';

const digest = (n: number) => n.toString(16).padStart(64, '0');
const bodyOf = (name: string) =>
  JSON.stringify({ kind: 'governance', rules: [{ name, deny: 'action == "a"' }] });

/** A body, and how often it was read. */
function counting(body: string) {
  const counter = { reads: 0 };
  const read = async () => {
    counter.reads += 1;
    return body;
  };
  return { counter, read };
}

describe('what is parsed', () => {
  it('is kept by its digest: neither read nor parsed again', async () => {
    const cache = new GovernanceCache();
    const { counter, read } = counting(bodyOf('one'));
    const parsed = await cache.parsed(digest(1), read);
    expect(parsed).toMatchObject({ document: { rules: [{ name: 'one' }] } });
    expect(await cache.parsed(digest(1), read)).toBe(parsed);
    expect(counter.reads).toBe(1);
    expect(await cache.parsed(digest(2), read)).not.toBe(parsed);
    expect(counter.reads).toBe(2);
  });

  it('is kept also when it is not sound', async () => {
    const cache = new GovernanceCache();
    const { counter, read } = counting('{"kind":"limit"}');
    const parsed = await cache.parsed(digest(1), read);
    expect(parsed).toHaveProperty('problems');
    expect(await cache.parsed(digest(1), read)).toBe(parsed);
    expect(counter.reads).toBe(1);
  });

  it('is parsed once when several ask at the same time', async () => {
    const cache = new GovernanceCache();
    const { read } = counting(bodyOf('one'));
    const all = await Promise.all([1, 2, 3].map(() => cache.parsed(digest(1), read)));
    expect(new Set(all).size).toBe(1);
  });

  it('is not kept when reading fails', async () => {
    const cache = new GovernanceCache();
    const lost = () => Promise.reject(new Error('lost'));
    await expect(cache.parsed(digest(1), lost)).rejects.toThrow('lost');
    const { read } = counting(bodyOf('one'));
    expect(await cache.parsed(digest(1), read)).toHaveProperty('document');
  });

  it('is dropped when there is too much of it, what was asked longest ago first', async () => {
    const cache = new GovernanceCache({ maxBytes: 100_000 });
    const held = counting(bodyOf('held'));
    await cache.parsed(digest(0), held.read);
    for (let i = 1; i <= 50; i++) {
      await cache.parsed(digest(i), counting(bodyOf(`r${i}`)).read);
      await cache.parsed(digest(0), held.read);
    }
    expect(held.counter.reads).toBe(1);
    const old = counting(bodyOf('r1'));
    await cache.parsed(digest(1), old.read);
    expect(old.counter.reads).toBe(1);
  });

  it('counts for what its patterns take', async () => {
    const cache = new GovernanceCache({ maxBytes: 300_000 });
    const deny = '"".matches("(?:a{30}){15}")';
    const patterns = JSON.stringify({ kind: 'governance', rules: [{ name: 'a', deny }] });
    for (let i = 0; i < 3; i++) await cache.parsed(digest(i), counting(patterns).read);
    const { counter, read } = counting(patterns);
    await cache.parsed(digest(0), read);
    expect(counter.reads).toBe(1);
  });

  it('that alone is too large is answered, and not kept', async () => {
    const cache = new GovernanceCache({ maxBytes: 2000 });
    const { counter, read } = counting(bodyOf('one'));
    expect(await cache.parsed(digest(1), read)).toHaveProperty('document');
    expect(await cache.parsed(digest(1), read)).toHaveProperty('document');
    expect(counter.reads).toBe(2);
  });
});

it('serves a snapshot that comes back, and never the rules of another', async () => {
  const governed = new Governed();
  const calls = new TenantCalls(governed.deps, 'demo', 'governance');
  const states = [
    { version: '1.0.0', rules: [{ name: 'one', deny: 'true' }] },
    { version: '2.0.0', rules: [{ name: 'two', deny: 'true' }] },
  ];
  for (const state of states) {
    await governed.publish('governance', state);
    expect(await governed.vet()).toHaveProperty('rule', `governance/${state.rules[0]?.name}`);
  }
  await calls.rollback('prod');
  expect(await governed.vet()).toHaveProperty('rule', 'governance/one');
  await governed.publish('governance', { ...states[0], version: '3.0.0' }, { tenant: 'other' });
  expect(await governed.vet({ ...report, tenant: 'other' })).toHaveProperty('by', [
    expect.objectContaining({ version: '3.0.0' }),
  ]);
});
