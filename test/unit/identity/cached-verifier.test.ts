import { expect, test, vi } from 'vitest';

import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import { cachedVerifier } from '../../../src/core/identity/cached-verifier.ts';
import type { Principal } from '../../../src/core/identity/principal.ts';

const startMs = 1_000_000;

function principal(actor: string, expiresAtMs = startMs + 60_000): Principal {
  return {
    tenant: 'demo',
    actor,
    scopes: new Set(),
    subject: actor,
    region: undefined,
    expiresAtMs,
  };
}

function setUp({ maxTokens = 10 } = {}) {
  const clock = { now: startMs, nowMs: () => clock.now };
  const verify = vi.fn(async (token: string) => {
    if (token.startsWith('bad')) throw new Unauthenticated('The token is malformed.');
    return principal(token);
  });
  return { clock, verify, cached: cachedVerifier({ verify }, clock, { maxTokens }) };
}

test('a token is verified once, and then known without waiting', async () => {
  const { cached, verify } = setUp();
  expect(cached.peek('a')).toBeUndefined();
  const first = await cached.verify('a');
  expect(await cached.verify('a')).toBe(first);
  expect(cached.peek('a')).toBe(first);
  expect(verify).toHaveBeenCalledTimes(1);
});

test('a token that ends like a known one is another token', async () => {
  const { cached, verify } = setUp();
  const tail = 'x'.repeat(40);
  await cached.verify(`a${tail}`);
  expect(cached.peek(`b${tail}`)).toBeUndefined();
  expect((await cached.verify(`b${tail}`)).actor).toBe(`b${tail}`);
  expect(cached.peek(`a${tail}`)).toBeUndefined();
  expect(verify).toHaveBeenCalledTimes(2);
});

test('a token is forgotten at the moment it expires', async () => {
  const { cached, clock, verify } = setUp();
  await cached.verify('a');
  clock.now = startMs + 59_999;
  expect(cached.peek('a')).toBeDefined();
  clock.now = startMs + 60_000;
  expect(cached.peek('a')).toBeUndefined();
  clock.now = startMs;
  expect(cached.peek('a')).toBeUndefined();
  await cached.verify('a');
  expect(verify).toHaveBeenCalledTimes(2);
});

test('the token verified first makes room for a new one', async () => {
  const { cached } = setUp({ maxTokens: 2 });
  for (const token of ['a', 'b', 'c']) await cached.verify(token);
  expect(['a', 'b', 'c'].map((token) => cached.peek(token)?.actor)).toEqual([undefined, 'b', 'c']);
});

test('a refusal is not remembered, and takes no room', async () => {
  const { cached, verify } = setUp({ maxTokens: 1 });
  await cached.verify('a');
  for (const token of ['bad', 'bad', 'bad2']) {
    await expect(cached.verify(token)).rejects.toThrow(Unauthenticated);
    expect(cached.peek(token)).toBeUndefined();
  }
  expect(verify).toHaveBeenCalledTimes(4);
  expect(cached.peek('a')).toBeDefined();
});

test('verifications of one token at the same time are one, good or bad', async () => {
  const { cached, verify } = setUp();
  await Promise.all([cached.verify('a'), cached.verify('a'), cached.verify('b')]);
  expect(verify).toHaveBeenCalledTimes(2);
  const refused = await Promise.allSettled([cached.verify('bad'), cached.verify('bad')]);
  expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(verify).toHaveBeenCalledTimes(3);
});

test('a verifier that throws before it waits leaves nothing pending', async () => {
  let broken = true;
  const verify = (token: string): Promise<Principal> => {
    if (broken) throw new Error('broken');
    return Promise.resolve(principal(token));
  };
  const cached = cachedVerifier({ verify }, { nowMs: () => startMs }, { maxTokens: 1 });
  await expect(cached.verify('a')).rejects.toThrow('broken');
  broken = false;
  expect((await cached.verify('a')).actor).toBe('a');
});
