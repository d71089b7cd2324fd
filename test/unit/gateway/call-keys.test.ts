import { beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { CallKeys } from '../../../src/core/gateway/call-keys.ts';
import { callKeyOf } from '../../../src/core/gateway/sign-call.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { countCalls } from '../../support/count-calls.ts';
import { injectFaults } from '../../support/inject-faults.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';

const ref = { tenant: 'demo', name: 'check' };
const address = { tenant: 'demo', name: 'service/check' };
const [first, second, third] = [1, 2, 3].map(
  (byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`,
) as [string, string, string];

describe('the keys of a service', () => {
  const deps = coreDeps();
  const { clock, log } = deps;
  let secrets: ReturnType<typeof memorySecrets>;
  let counted: ReturnType<typeof count>;
  const count = () => countCalls(memorySecrets(), { get: 0, getPrevious: 0 });
  beforeEach(() => {
    counted = count();
    secrets = counted.port;
  });
  const reads = () => counted.calls.get + counted.calls.getPrevious;

  it('are none for a service without a secret, which costs nothing', async () => {
    await secrets.put(address, first);
    expect(await new CallKeys({ secrets, clock, log }).of(ref, undefined)).toEqual([]);
    expect(reads()).toBe(0);
  });

  it('are read once, whoever asks at once, and again after five minutes', async () => {
    const keys = new CallKeys({ secrets, clock, log });
    await secrets.put(address, first);
    const ask = () => Promise.all([1, 2, 3].map(() => keys.of(ref, 'a')));
    for (const found of await ask()) expect(found).toEqual([callKeyOf(first)]);
    await ask();
    expect(reads()).toBe(2);
    clock.set(clock.nowMs() + 300_000);
    await ask();
    expect(reads()).toBe(4);
  });

  it('are the new one and the one before, at once when the record names another', async () => {
    const keys = new CallKeys({ secrets, clock, log });
    await secrets.put(address, first);
    await keys.of(ref, 'a');
    await secrets.put(address, second);
    expect(await keys.of(ref, 'a')).toEqual([callKeyOf(first)]);
    expect(await keys.of(ref, 'b')).toEqual([callKeyOf(second), callKeyOf(first)]);
    await secrets.put(address, third);
    expect(await keys.of(ref, 'c')).toEqual([callKeyOf(third), callKeyOf(second)]);
  });

  it('are each one service’s own', async () => {
    const keys = new CallKeys({ secrets, clock, log });
    await secrets.put(address, first);
    await secrets.put({ tenant: 'other', name: 'service/check' }, second);
    expect(await keys.of(ref, 'a')).toEqual([callKeyOf(first)]);
    expect(await keys.of({ ...ref, tenant: 'other' }, 'a')).toEqual([callKeyOf(second)]);
  });

  it('stay known while the store does not answer; those that never were let no call out', async () => {
    await secrets.put(address, first);
    let isDown = true;
    const faulty = injectFaults(secrets, { get: true }, () => (isDown ? 'not-written' : 'none'));
    const keys = new CallKeys({ secrets: faulty, clock, log });
    await expect(keys.of(ref, 'a')).rejects.toThrow(Unavailable);
    isDown = false;
    expect(await keys.of(ref, 'a')).toEqual([callKeyOf(first)]);
    isDown = true;
    clock.set(clock.nowMs() + 300_000);
    expect(await keys.of(ref, 'a')).toEqual([callKeyOf(first)]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', msg: 'keys not read again' });
    // Of another secret, nothing is known.
    await expect(keys.of(ref, 'b')).rejects.toThrow(Unavailable);
  });

  it('that are gone from the store are asked for, and no call goes out without', async () => {
    const keys = new CallKeys({ secrets, clock, log });
    await expect(keys.of(ref, 'a')).rejects.toThrow('POST /services/check/secret');
    await secrets.put(address, first);
    expect(await keys.of(ref, 'a')).toEqual([callKeyOf(first)]);
  });
});
