import { connectionIn, type Environment, environment } from '../api/connection.ts';
import type { ClientOptions } from '../policies/client-options.ts';
import type { GetOptions, PolicyClient } from '../policies/policy-client.ts';
import { createClient } from './create-client.ts';
import { quietFetch } from './quiet-fetch.ts';

const variables = [
  'HMS_URL',
  'HMS_TOKEN',
  'HMS_CLIENT_ID',
  'HMS_CLIENT_SECRET',
  'HMS_TOKEN_URL',
  'HMS_CHANNEL',
  'HMS_SUBJECT',
  'HMS_REGION',
  'HMS_CACHE_DIR',
] as const;

let shared: { readonly key: string; readonly client: PolicyClient } | undefined;

/**
 * The rule in force, from the service that the environment names (see `connect`), of `HMS_CHANNEL`, for
 * `HMS_SUBJECT` and `HMS_REGION`; `HMS_CACHE_DIR` is where a copy is kept, or `off`. The first call
 * opens a client that all others share, and that keeps no process alive: it sends its last receipts
 * when there is nothing else to do.
 * Errors: as of `PolicyClient.get`; `HmsError` when the environment names no service.
 */
export async function getPolicy<T = unknown>(id: string, options?: GetOptions<T>): Promise<T> {
  return sharedClient(environment()).get(id, options);
}

function sharedClient(env: Environment): PolicyClient {
  const key = JSON.stringify(variables.map((name) => env[name] ?? null));
  if (shared?.key === key) return shared.client;
  void shared?.client.close();
  const client = openClient(env);
  shared = { key, client };
  process.once('beforeExit', () => {
    if (shared?.client === client) shared = undefined;
    void client.close();
  });
  return client;
}

function openClient(env: Environment): PolicyClient {
  const { HMS_CHANNEL: channel, HMS_SUBJECT: subject, HMS_REGION: region } = env;
  const { HMS_CACHE_DIR: cacheDir } = env;
  return createClient({
    ...connectionIn(env),
    ...(isSet(channel) ? { channel: channel as NonNullable<ClientOptions['channel']> } : {}),
    ...(isSet(subject) ? { subject } : {}),
    ...(isSet(region) ? { region } : {}),
    ...(isSet(cacheDir) ? { cacheDir: cacheDir === 'off' ? false : cacheDir } : {}),
    fetch: quietFetch,
    keepAlive: false,
  });
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
