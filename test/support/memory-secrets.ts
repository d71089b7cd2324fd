import { checkSecret, checkSecretRef } from '../../src/adapters/runtime/secret-limits.ts';
import type { SecretRef, SecretStore } from '../../src/ports/secret-store.ts';

/** The in-memory fake of the SecretStore. */
export function memorySecrets(): SecretStore {
  const secrets = new Map<string, string>();
  const previous = new Map<string, string>();
  const nameOf = (ref: SecretRef): string => {
    checkSecretRef(ref);
    return `${ref.tenant}/${ref.name}`;
  };
  return {
    async put(ref, secret) {
      const name = nameOf(ref);
      checkSecret(secret);
      const before = secrets.get(name);
      if (before !== undefined) previous.set(name, before);
      secrets.set(name, secret);
    },
    async get(ref) {
      return secrets.get(nameOf(ref));
    },
    async getPrevious(ref) {
      return previous.get(nameOf(ref));
    },
    async delete(ref) {
      secrets.delete(nameOf(ref));
      previous.delete(nameOf(ref));
    },
  };
}
