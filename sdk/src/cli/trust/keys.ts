import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { sha256Hex } from './statement.ts';

/** SHA-256 of the SPKI (RFC 5280) of a public key, or of the one that belongs to a private key. */
export function keyIdOf(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return `sha256:${sha256Hex(open.export({ type: 'spki', format: 'der' }))}`;
}

export function newPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function publicKeyPem(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return open.export({ type: 'spki', format: 'pem' }).toString();
}

/** Errors: `Failure` for what is no private Ed25519 key. */
export function parsePrivateKey(pem: string, where: string): KeyObject {
  const key = tryTo(() => createPrivateKey(pem));
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new Failure(exitCodes.usage, `${where} is no Ed25519 key (PKCS#8, PEM).`);
}

/** Errors: `Failure` for what is no public key that signs: Ed25519, or ECDSA with P-256. */
export function parsePublicKey(pem: string, where: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) {
    throw new Failure(exitCodes.usage, `${where} is a private key, which is nobody else's.`, [
      'Get the public one: hms-svc keys export NAME',
    ]);
  }
  const key = tryTo(() => createPublicKey(pem));
  const isP256 =
    key?.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (key !== undefined && (key.asymmetricKeyType === 'ed25519' || isP256)) return key;
  throw new Failure(exitCodes.usage, `${where} is no public key of Ed25519 or P-256 (SPKI, PEM).`);
}

/** Ed25519, which has no digest of its own to choose; the same bytes have one signature. */
export function signBytes(bytes: Uint8Array, key: KeyObject): Buffer {
  return sign(null, bytes, key);
}

export function isSignedBy(bytes: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  const digest = key.asymmetricKeyType === 'ec' ? 'sha256' : null;
  return tryTo(() => verify(digest, bytes, key, signature)) ?? false;
}

function tryTo<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
