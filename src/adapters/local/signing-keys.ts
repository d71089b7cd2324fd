import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  sign,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { calculateJwkThumbprint } from 'jose';

import { privateFile } from './private-file.ts';

/** A key as a JWKS publishes it (RFC 7517). */
interface PublicJwk {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: 'RS256';
  /** The key's RFC 7638 thumbprint: another key has another one. */
  readonly kid: string;
  readonly n: string;
  readonly e: string;
}

export interface SigningKeys {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwks: { readonly keys: readonly PublicJwk[] };
}

const modulusBits = 2048;

/**
 * The key of the embedded issuer: RSA, kept as a private JWK in `<dataDir>/issuer-key.json`, which
 * the first start makes. Tokens stay good over a restart.
 * Errors: a plain `Error` without key material, when the file is broken or others may read it.
 */
export async function loadSigningKeys(dataDir: string): Promise<SigningKeys> {
  const path = join(dataDir, 'issuer-key.json');
  const text = await privateFile(path, newKey);
  try {
    return await parse(text);
  } catch {
    // Not as the cause: what a parser says of a key may quote it.
    throw new Error(
      `${path} is not an RSA signing key as this server writes it: restore it from a backup, ` +
        'or delete it to have a new one made, which ends every token now in use.',
    );
  }
}

async function newKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: modulusBits });
  const { kid, use, alg } = await publicJwk(privateKey);
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid, use, alg };
  return `${JSON.stringify(jwk, undefined, 2)}\n`;
}

async function parse(text: string): Promise<SigningKeys> {
  const key: JsonWebKey & { readonly kid?: unknown } = JSON.parse(text);
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  const jwk = await publicJwk(privateKey);
  // The first holds the public half against damage, the second the private one.
  if (key.kid !== jwk.kid || !signs(privateKey)) throw new Error('damaged');
  return { kid: jwk.kid, privateKey, jwks: { keys: [jwk] } };
}

async function publicJwk(privateKey: KeyObject): Promise<PublicJwk> {
  const publicKey = createPublicKey(privateKey);
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (kty !== 'RSA' || n === undefined || e === undefined || bits < modulusBits) {
    throw new Error('not an RSA key of 2048 bits or more');
  }
  return { kty, use: 'sig', alg: 'RS256', kid: await calculateJwkThumbprint({ kty, n, e }), n, e };
}

function signs(privateKey: KeyObject): boolean {
  const probe = Buffer.from('probe');
  const signature = sign('RSA-SHA256', probe, privateKey);
  return verify('RSA-SHA256', probe, createPublicKey(privateKey), signature);
}
