import * as fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SecretRef, SecretStore } from '../../src/ports/secret-store.ts';
import { expectDefect } from '../support/expect-defect.ts';

interface SecretStoreFixture {
  readonly secrets: SecretStore;
  readonly close?: () => Promise<void> | void;
}

export interface SecretStoreSuiteOptions {
  readonly propertyRuns?: number;
}

const badRefs: readonly (readonly [name: string, change: Partial<SecretRef>])[] = [
  ['an empty tenant', { tenant: '' }],
  ['the folder above as tenant', { tenant: '..' }],
  ['a tenant with a path', { tenant: 'a/b' }],
  ['a tenant in upper case', { tenant: 'Demo' }],
  ['an empty name', { name: '' }],
  ['a name in upper case', { name: 'Partner/a' }],
  ['a name of three parts', { name: 'a/b/c' }],
  ['a name that ends with a slash', { name: 'a/' }],
  ['a name with a line break', { name: 'a\n' }],
  ['a name with a dot', { name: '../a' }],
  ['a long name', { name: 'a'.repeat(65) }],
];

/** What every SecretStore must do. Durability is tested per adapter: it takes a crash. */
export function describeSecretStore(
  name: string,
  make: () => Promise<SecretStoreFixture>,
  options: SecretStoreSuiteOptions = {},
): void {
  describe(`SecretStore: ${name}`, () => {
    let fixture: SecretStoreFixture;
    let secrets: SecretStore;
    let ref: SecretRef;
    beforeEach(async () => {
      fixture = await make();
      secrets = fixture.secrets;
      ref = { tenant: `t-${randomUUID()}`, name: 'partner/acme' };
    });
    afterEach(async () => await fixture.close?.());

    it('answers undefined where there is none, and deletes it without an error', async () => {
      expect(await secrets.get(ref)).toBeUndefined();
      await secrets.delete(ref);
      expect(await secrets.get(ref)).toBeUndefined();
    });

    it.each([
      ['short', 'x'],
      ['a key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1\n-----END…\n'],
      ['odd', ' "\\\u0000\u2028ä😀\r\n '],
      ['16 KiB', 'é'.repeat(8192)],
    ])('keeps a secret as it is: %s', async (_, secret) => {
      await secrets.put(ref, secret);
      expect(await secrets.get(ref)).toBe(secret);
    });

    it('keeps the last of several', async () => {
      for (const secret of ['a', 'b', 'b', 'c']) await secrets.put(ref, secret);
      expect(await secrets.get(ref)).toBe('c');
    });

    it('has what the last put replaced, and none from before that', async () => {
      expect(await secrets.getPrevious(ref)).toBeUndefined();
      await secrets.put(ref, 'a');
      expect(await secrets.getPrevious(ref)).toBeUndefined();
      await secrets.put(ref, 'b');
      expect(await secrets.getPrevious(ref)).toBe('a');
      await secrets.put({ ...ref, name: 'partner/other' }, 'x');
      await secrets.put(ref, 'c');
      expect(await secrets.getPrevious(ref)).toBe('b');
      expect(await secrets.get(ref)).toBe('c');
    });

    it('deletes for good, and takes the same name again', async () => {
      await secrets.put(ref, 'z');
      await secrets.put(ref, 'a');
      await secrets.delete(ref);
      expect(await secrets.get(ref)).toBeUndefined();
      expect(await secrets.getPrevious(ref)).toBeUndefined();
      await secrets.delete(ref);
      await secrets.put(ref, 'b');
      expect(await secrets.get(ref)).toBe('b');
      expect(await secrets.getPrevious(ref)).toBeUndefined();
    });

    it('holds tenants and names apart', async () => {
      const refs = [
        ref,
        { ...ref, name: 'partner/acme-2' },
        { ...ref, name: 'partner' },
        { ...ref, tenant: `${ref.tenant}x` },
        { ...ref, name: '__proto__'.replaceAll('_', '-') },
      ];
      for (const [i, one] of refs.entries()) await secrets.put(one, `secret ${i}`);
      const found = await Promise.all(refs.map((one) => secrets.get(one)));
      expect(found).toEqual(refs.map((_, i) => `secret ${i}`));
      await secrets.delete(ref);
      expect(await secrets.get(refs[1]!)).toBe('secret 1');
    });

    it('loses none of several that are put at once', async () => {
      const refs = Array.from({ length: 10 }, (_, i) => ({ ...ref, name: `partner/p${i}` }));
      await Promise.all(refs.map((one) => secrets.put(one, one.name)));
      const found = await Promise.all(refs.map((one) => secrets.get(one)));
      expect(found).toEqual(refs.map((one) => one.name));
    });

    it('has one of the secrets that are put under one name at once', async () => {
      const put = ['a', 'b', 'c', 'd'];
      await Promise.all(put.map((secret) => secrets.put(ref, secret)));
      expect(put).toContain(await secrets.get(ref));
    });

    it.each(badRefs)('refuses %s', async (_, change) => {
      const bad = { ...ref, ...change };
      await expectDefect(() => secrets.put(bad, 'x'));
      await expectDefect(() => secrets.get(bad));
      await expectDefect(() => secrets.getPrevious(bad));
      await expectDefect(() => secrets.delete(bad));
    });

    it.each([
      ['nothing', ''],
      ['more than 16 KiB', 'é'.repeat(8193)],
      ['half a surrogate pair', 'hush-a\ud800'],
    ])('refuses %s as secret, and does not quote it', async (_, secret) => {
      await expectDefect(() => secrets.put(ref, secret));
      const error = await secrets.put(ref, secret).catch((thrown: unknown) => thrown);
      if (secret !== '') expect(String(error)).not.toContain(secret.slice(0, 6));
      expect(await secrets.get(ref)).toBeUndefined();
    });

    it('is a map, whatever is done in whatever order', async () => {
      const step = fc.tuple(
        fc.constantFrom('a', 'b', 'partner/a'),
        fc.option(fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme' })),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
          const tenant = `t-${randomUUID()}`;
          const model = new Map<string, string>();
          for (const [key, secret] of steps) {
            if (secret === null) {
              model.delete(key);
              await secrets.delete({ tenant, name: key });
            } else {
              model.set(key, secret);
              await secrets.put({ tenant, name: key }, secret);
            }
            expect(await secrets.get({ tenant, name: key })).toBe(model.get(key));
          }
        }),
        { numRuns: options.propertyRuns ?? 5 },
      );
    });
  });
}
