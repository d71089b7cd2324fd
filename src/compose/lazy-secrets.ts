import type { SecretStore } from '../ports/secret-store.ts';

/** A secret store that is loaded by its first call. */
export function lazySecrets(load: () => Promise<SecretStore>): SecretStore {
  let loading: Promise<SecretStore> | undefined;
  const loaded = () => (loading ??= load());
  return {
    put: async (ref, secret) => (await loaded()).put(ref, secret),
    get: async (ref) => (await loaded()).get(ref),
    delete: async (ref) => (await loaded()).delete(ref),
  };
}
