import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { signedUploadGate } from '../../../src/adapters/local/signed-upload-gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const wish = {
  tenant: 'demo',
  digest: 'ab'.repeat(32),
  sizeBytes: 1000,
  contentType: 'application/pdf',
};

describe('the tokens of a signedUploadGate', () => {
  const key = randomBytes(32);
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });
  const gate = (own: Uint8Array = key) => signedUploadGate({ url: 'http://x', key: own, clock });
  const token = async () => (await gate().open(wish, 60_000)).url.slice('http://x/uploads/'.length);

  it('say what was opened, also to another process with the key, until they end', async () => {
    const made = await token();
    expect(gate().wishOf(made)).toEqual(wish);
    clock.set(clock.nowMs() + 59_999);
    expect(gate(Uint8Array.from(key)).wishOf(made)).toEqual(wish);
    clock.set(clock.nowMs() + 1);
    expect(gate().wishOf(made)).toBeUndefined();
  });

  it('say nothing to who has another key', async () => {
    expect(gate(randomBytes(32)).wishOf(await token())).toBeUndefined();
  });

  it('are worth nothing once any of it was changed', async () => {
    const made = await token();
    const end = made.indexOf('.');
    const [payload, mac] = [made.slice(0, end), made.slice(end + 1)];
    const other = { ...wish, tenant: 'other', expiresAtMs: clock.nowMs() + 60_000 };
    const forged = Buffer.from(JSON.stringify(other)).toString('base64url');
    for (const bad of [
      '',
      '.',
      payload,
      `${payload}.`,
      `.${mac}`,
      `${forged}.${mac}`,
      `${forged}.${'A'.repeat(43)}`,
      `${payload}.${mac.slice(0, -2)}`,
      `${payload}.${mac}AAAA`,
      `${payload}.${mac}.${mac}`.repeat(10),
      `${payload}${'A'.repeat(2000)}.${mac}`,
    ]) {
      expect(gate().wishOf(bad), bad).toBeUndefined();
    }
    for (let at = 0; at < end; at++) {
      const char = made[at] === 'A' ? 'B' : 'A';
      const changed = `${made.slice(0, at)}${char}${made.slice(at + 1)}`;
      expect(gate().wishOf(changed), changed).toBeUndefined();
    }
  });

  it('are made by nobody else', () => {
    const property = fc.property(fc.string({ maxLength: 300 }), (text) => {
      expect(gate().wishOf(text)).toBeUndefined();
    });
    fc.assert(property);
  });
});
