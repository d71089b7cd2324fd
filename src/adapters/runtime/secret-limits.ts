import type { SecretRef } from '../../ports/secret-store.ts';

const maxSecretBytes = 16 * 1024;

// No upper case: two tenants must not meet where a store ignores case.
const tenantForm = /^[a-z0-9][a-z0-9._-]{0,127}$/;
const nameForm = /^[a-z0-9-]{1,64}(?:\/[a-z0-9-]{1,64})?$/;

/**
 * The limits of the SecretStore port, one and the same for every adapter. A breach is a defect of
 * the caller: `RangeError`, without the secret.
 */
export function checkSecretRef({ tenant, name }: SecretRef): void {
  if (!tenantForm.test(tenant)) throw new RangeError('not a tenant that can hold secrets');
  if (!nameForm.test(name)) throw new RangeError('not a name of a secret');
}

export function checkSecret(secret: string): void {
  const sizeBytes = Buffer.byteLength(secret);
  if (sizeBytes < 1 || sizeBytes > maxSecretBytes) {
    throw new RangeError(`a secret has 1 to ${maxSecretBytes} bytes, not ${sizeBytes}`);
  }
  if (!secret.isWellFormed()) throw new RangeError('a secret holds half a surrogate pair');
}
