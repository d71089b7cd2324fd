import { type Api, type ApiOptions, createApi } from './api.ts';
import { HmsError } from './errors.ts';
import type { Auth } from './token-source.ts';

/** How the service is reached: its address and credentials, or an `Api` that is at hand. */
export type Connection = ApiOptions | Api;

/** Variables of the environment that say how the service is reached. */
export type Environment = Readonly<Record<string, string | undefined>>;

let ofEnvironment: { readonly key: string; readonly api: Api } | undefined;

/**
 * The service that is given, else the one that the environment names: `HMS_URL`, with
 * `HMS_CLIENT_ID` and `HMS_CLIENT_SECRET` (and `HMS_TOKEN_URL`, else `/oauth2/token` of `HMS_URL`), or
 * with a token in `HMS_TOKEN`. One `Api`, and so one token, for all who ask for the latter.
 * Errors: `HmsError` that says what is missing.
 */
export function connect(given?: Connection, env: Environment = environment()): Api {
  if (given !== undefined) return 'send' in given ? given : createApi(given);
  const options = connectionIn(env);
  const key = JSON.stringify([env['HMS_URL'], env['HMS_TOKEN'], options.auth]);
  if (ofEnvironment?.key !== key) ofEnvironment = { key, api: createApi(options) };
  return ofEnvironment.api;
}

/** The variables of this process; none where there is no such thing, as in a browser. */
export function environment(): Environment {
  const { process } = globalThis as { process?: { readonly env?: Environment } };
  return process?.env ?? {};
}

/** How the environment says that the service is reached. Errors: `HmsError` that says what is missing. */
export function connectionIn(env: Environment): ApiOptions {
  const { HMS_URL: baseUrl } = env;
  if (baseUrl === undefined || baseUrl === '') {
    throw new HmsError('No service is named: set HMS_URL, or give a connection.');
  }
  const auth = authIn(env, baseUrl.replace(/\/+$/, ''));
  return auth === undefined ? { baseUrl } : { baseUrl, auth };
}

function authIn(env: Environment, baseUrl: string): Auth | undefined {
  const { HMS_TOKEN: token, HMS_CLIENT_ID: clientId, HMS_CLIENT_SECRET: clientSecret } = env;
  if (token !== undefined && token !== '') return () => token;
  if (clientId === undefined || clientSecret === undefined) return undefined;
  return { clientId, clientSecret, tokenUrl: env['HMS_TOKEN_URL'] ?? `${baseUrl}/oauth2/token` };
}
