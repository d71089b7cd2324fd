import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { zipFiles } from '../../../sdk/src/node/zip-files.ts';
import { envelopeText, parseEnvelope, preAuthEncoding } from '../../../sdk/src/cli/trust/dsse.ts';
import type { RingKey } from '../../../sdk/src/cli/trust/key-ring.ts';
import {
  keyIdOf,
  newPrivateKeyPem,
  parsePrivateKey,
  parsePublicKey,
  publicKeyPem,
} from '../../../sdk/src/cli/trust/keys.ts';
import { openPackage, openZip } from '../../../sdk/src/cli/trust/package-files.ts';
import { signPackage } from '../../../sdk/src/cli/trust/sign-package.ts';
import { signatureFile, statementBytes } from '../../../sdk/src/cli/trust/statement.ts';
import { type Check, digestOf, verifyPackage } from '../../../sdk/src/cli/trust/verify-package.ts';
import { readPackage } from '../../../src/core/packages/read-package.ts';

const folder = join(import.meta.dirname, '../../../examples/epa-pm25/2.0.0');
const chief = newKey('EPA Chief');
const director = newKey('NCR Director');
const stranger = newKey('Stranger');
const open = await openPackage(folder);
const signed = await openZip(signPackage(open, [chief]), 'signed');

function newKey(name: string): RingKey {
  const key = parsePrivateKey(newPrivateKeyPem(), name);
  return { name, id: keyIdOf(key), key };
}

/** As others know it. */
function known({ name, id, key }: RingKey): RingKey {
  return { name, id, key: parsePublicKey(publicKeyPem(key), name) };
}

const trusting = (keys: readonly RingKey[], quorum = 1, digest?: string) => ({
  digest,
  keys: keys.map(known),
  quorum,
});
const isVerified = (checks: readonly Check[]) => checks.every(({ result }) => result !== 'failed');

describe('the pre-authentication encoding', () => {
  it('is that of the test vector of the DSSE protocol', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(preAuthEncoding('é', Buffer.from('€')).toString()).toBe('DSSEv1 2 é 3 €');
  });
});

describe('an envelope', () => {
  const envelope = { payloadType: 't', payload: 'aGk=', signatures: [{ keyid: 'k', sig: 'c2ln' }] };
  it.each([
    ['no JSON', '{'],
    ['no object', 'null'],
    ['another order', JSON.stringify({ ...envelope, signatures: [] })],
    ['more members', envelopeText(envelope).replace('{', '{ "x": 1,')],
    ['a member twice', envelopeText(envelope).replace('{', '{ "payload": "aGk=",')],
    ['loose base64', envelopeText({ ...envelope, payload: 'aGl=' })],
    ['base64 without padding', envelopeText({ ...envelope, payload: 'aGk' })],
    ['a signature that is none', envelopeText({ ...envelope, signatures: [{} as never] })],
    ['a thousand signatures', envelopeText({ ...envelope, signatures: many(1000) })],
  ])('is refused with %s', (_, text) => {
    expect(parseEnvelope(text)).toBeUndefined();
  });

  it('is read as it was written', () => {
    expect(parseEnvelope(envelopeText(envelope))).toEqual(envelope);
  });

  function many(count: number) {
    return Array.from({ length: count }, (_, place) => ({ keyid: `${place}`, sig: 'c2ln' }));
  }
});

describe('a signed package', () => {
  it('has an in-toto statement about each of its files, by SHA-256', async () => {
    const text = Buffer.from(signed.files[signatureFile] ?? []).toString('utf8');
    const payload = Buffer.from(parseEnvelope(text)?.payload ?? '', 'base64').toString('utf8');
    const { entries } = await readPackage(open.bytes);
    expect(JSON.parse(payload)).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: entries.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
      predicateType: 'urn:hms:policy-package:v1',
      predicate: { policy: { id: 'epa-pm25-limit', version: '2.0.0' } },
    });
  });

  it('is what the service takes, and the same bytes each time', async () => {
    const { entries, rule } = await readPackage(signed.bytes);
    expect(entries.map(({ path }) => path)).toContain(signatureFile);
    expect(rule.id).toBe('epa-pm25-limit');
    expect(digestOf(signPackage(open, [chief]))).toBe(digestOf(signed.bytes));
    expect(digestOf(signPackage(signed, [chief]))).toBe(digestOf(signed.bytes));
  });

  it('is verified by who knows the key', () => {
    const checks = verifyPackage(signed, trusting([chief]));
    expect(checks.map(({ name, result }) => `${name} ${result}`)).toEqual([
      'bytes passed',
      'signed content passed',
      'signature passed',
      'quorum passed',
    ]);
  });

  it('is not by who knows another key, nor one unsigned', () => {
    expect(isVerified(verifyPackage(signed, trusting([stranger])))).toBe(false);
    expect(isVerified(verifyPackage(signed, trusting([])))).toBe(false);
    expect(isVerified(verifyPackage(open, trusting([chief])))).toBe(false);
  });

  it('takes another signature beside the first, in any order', async () => {
    const both = await openZip(signPackage(signed, [director]), 'both');
    const atOnce = signPackage(open, [director, chief]);
    expect(digestOf(atOnce)).toBe(digestOf(both.bytes));
    expect(isVerified(verifyPackage(both, trusting([chief, director], 2)))).toBe(true);
    expect(isVerified(verifyPackage(signed, trusting([chief, director], 2)))).toBe(false);
    const one = verifyPackage(both, trusting([chief]));
    expect(one.map(({ result }) => result)).toContain('unknown');
    expect(isVerified(one), 'who else signed it does not matter').toBe(true);
  });

  it('counts the signatures of one key once', () => {
    const text = Buffer.from(signed.files[signatureFile] ?? []).toString('utf8');
    const envelope = parseEnvelope(text);
    if (envelope === undefined) throw new Error('there is no envelope');
    const { signatures } = envelope;
    const twice = envelopeText({ ...envelope, signatures: [...signatures, ...signatures] });
    const bytes = zipFiles({ ...signed.files, [signatureFile]: Buffer.from(twice) });
    const files = { ...unzipSync(bytes) };
    const checks = verifyPackage({ ...signed, bytes, files }, trusting([chief], 2));
    expect(isVerified(checks)).toBe(false);
  });

  it('is verified by a P-256 key as well', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = parsePublicKey(publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'p');
    const payload = statementBytes(open.files, open);
    const payloadType = 'application/vnd.in-toto+json';
    const sig = sign('sha256', preAuthEncoding(payloadType, payload), privateKey);
    const id = keyIdOf(key);
    const signatures = [{ keyid: id, sig: sig.toString('base64') }];
    const text = envelopeText({ payloadType, payload: payload.toString('base64'), signatures });
    const bytes = zipFiles({ ...open.files, [signatureFile]: Buffer.from(text) });
    const given = await openZip(bytes, 'p-256');
    const keys = [{ name: 'KMS', id, key }];
    expect(isVerified(verifyPackage(given, { digest: undefined, keys, quorum: 1 }))).toBe(true);
  });

  it.each([
    ['a file more', { 'schema.json': Buffer.from('{}') }, 'schema.json'],
    [
      'another rule',
      { 'policy.yaml': Buffer.from('id: epa-pm25-limit\nversion: 2.0.0\n') },
      'policy.yaml',
    ],
  ])('is not verified with %s than was signed', async (_, more, named) => {
    const bytes = zipFiles({ ...signed.files, ...more });
    const checks = verifyPackage(await openZip(bytes, 'tampered'), trusting([chief]));
    expect(checks.find(({ result }) => result === 'failed')?.detail).toContain(named);
  });

  it('cannot take a signature when those it has are of other content', async () => {
    const rule = Buffer.from('id: epa-pm25-limit\nversion: 2.0.1\n');
    const given = await openZip(zipFiles({ ...signed.files, 'policy.yaml': rule }), 'other');
    expect(() => signPackage(given, [chief])).toThrow('of other content');
  });

  it('cannot be signed with a key that is not ours', () => {
    expect(() => signPackage(open, [known(chief)])).toThrow('not ours to sign with');
  });
});

describe('a flipped bit', () => {
  // Small enough to flip every bit of it.
  const rule = Buffer.from('id: a\nversion: 1.0.0\nlimit: 3\n');
  const small = { id: 'a', version: '1.0.0', files: { 'policy.yaml': rule } };
  const bytes = signPackage({ ...small, bytes: zipFiles(small.files) }, [chief]);
  const keys = [chief];

  it('is found, wherever it is', async () => {
    const missed: number[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (await isTaken(flipped, undefined)) missed.push(bit);
    }
    expect(missed).toEqual([]);
    expect(await isTaken(bytes, undefined)).toBe(true);
  });

  it('is found in a package of another packer, whose digest is known', async () => {
    const files = unzipSync(bytes);
    const packed = zipSync(files, { level: 9 });
    const digest = digestOf(packed);
    expect(await isTaken(packed, digest)).toBe(true);
    expect(await isTaken(packed, undefined), 'nobody says what it should be').toBe(false);
    for (let byte = 0; byte < packed.length; byte += 7) {
      const flipped = Buffer.from(packed);
      flipped[byte] = (flipped[byte] ?? 0) ^ 1;
      expect(await isTaken(flipped, digest), `byte ${byte}`).toBe(false);
    }
  });

  async function isTaken(given: Uint8Array, digest: string | undefined): Promise<boolean> {
    try {
      return isVerified(verifyPackage(await openZip(given, 'it'), trusting(keys, 1, digest)));
    } catch {
      return false;
    }
  }
});

describe('a ZIP that two readers take for two things', () => {
  it('is refused', async () => {
    const bytes = Buffer.from(
      zipFiles({ 'policy.yaml': Buffer.from('id: a'), 'policy.yamm': Buffer.from('x') }),
    );
    const text = bytes.toString('latin1').replaceAll('policy.yamm', 'policy.yaml');
    await expect(openZip(Buffer.from(text, 'latin1'), 'it')).rejects.toThrow(
      'two files of one name',
    );
  });

  it('is refused when it says that it holds more than it may', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 65 }, (_, place) => [`scenarios/${place}.yaml`, Buffer.from('a')]),
    );
    await expect(openZip(zipFiles(files), 'it')).rejects.toThrow('holds more than a package may');
  });
});

describe('keys', () => {
  it('are known by the SHA-256 of their SPKI, private or public', () => {
    expect(keyIdOf(known(chief).key)).toBe(chief.id);
    expect(chief.id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it.each([
    ['a private key', newPrivateKeyPem(), 'is a private key'],
    ['no key', 'hello', 'is no public key'],
    ['RSA', rsa(), 'is no public key'],
    ['P-384', p384(), 'is no public key'],
  ])('are not %s where a public one is wanted', (_, pem, message) => {
    expect(() => parsePublicKey(pem, 'k.pem')).toThrow(message);
  });

  it('are not anything but Ed25519 where we sign', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => parsePrivateKey(pem, 'k.pem')).toThrow('is no Ed25519 key');
  });

  function rsa(): string {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  function p384(): string {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }
});

it('signs the files of an example as they are on disk', () => {
  const rule = readFileSync(join(folder, 'policy.yaml'));
  expect(Buffer.from(signed.files['policy.yaml'] ?? [])).toEqual(rule);
});
