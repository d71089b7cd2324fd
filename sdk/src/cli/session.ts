import { type Api, createApi } from '../api/api.ts';
import type { Auth } from '../api/token-source.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { isLoopback, localUrl, requireLocalClient } from './local-server.ts';
import { type Profile, readProfiles, requireProfile } from './profiles.ts';

/** Whom a command is, on a server of this machine, unless it is told. */
export type Role = 'service' | 'editor' | 'approver' | 'auditor' | 'admin';

/** What is said for all commands. */
export interface Choice {
  readonly profile?: string | undefined;
  /** A client of `clients.json`. */
  readonly as?: string | undefined;
}

/** A service, and who calls it. */
export interface Session {
  readonly url: string;
  readonly auth: Auth;
  /** Who calls: the id of a client, or where the token is from. */
  readonly who: string;
  /** Where that was found, for people. */
  readonly from: string;
  /** Of this machine, with the clients of its `clients.json`. */
  readonly isLocal: boolean;
}

/** What sends its calls. */
export function apiOf({ url, auth }: Session, userAgent: string): Api {
  return createApi({ baseUrl: url, auth, userAgent });
}

/**
 * The first that is there of: `--profile`; the environment; `HMS_PROFILE`; the profile of the latest
 * login; the server of this machine. On that one it is `--as`, else `role`.
 * Errors: `Failure` that says how to log in.
 */
export async function findSession(io: Io, choice: Choice, role: Role): Promise<Session> {
  const { env } = io;
  const { profile, as } = choice;
  if (profile !== undefined && as !== undefined) {
    throw new Failure(
      exitCodes.usage,
      '--as is for the server of this machine; give it or --profile.',
    );
  }
  if (profile !== undefined) return profileSession(profile, await requireProfile(io, profile));
  const inEnvironment = environmentSession(io, as);
  if (inEnvironment !== undefined) return inEnvironment;
  const named = as === undefined && isEmpty(env['HMS_URL']) ? await namedProfile(io) : undefined;
  return named ?? localSession(io, env['HMS_URL'] || localUrl(io), as ?? role);
}

/** The profile that is named, or counts; undefined where the server of this machine would. */
export async function findProfileSession(
  io: Io,
  profile: string | undefined,
): Promise<Session | undefined> {
  if (profile === undefined) return namedProfile(io);
  return profileSession(profile, await requireProfile(io, profile));
}

async function namedProfile(io: Io): Promise<Session | undefined> {
  const name = io.env['HMS_PROFILE'] || (await readProfiles(io)).current;
  return name === null ? undefined : profileSession(name, await requireProfile(io, name));
}

function environmentSession(io: Io, as: string | undefined): Session | undefined {
  const { HMS_TOKEN: token, HMS_CLIENT_ID: clientId, HMS_CLIENT_SECRET: clientSecret } = io.env;
  if (as !== undefined) return undefined;
  const url = requireUrl(io.env['HMS_URL'] || localUrl(io), 'HMS_URL');
  const known = { url, from: 'the environment', isLocal: false };
  if (!isEmpty(token)) return { ...known, auth: () => token, who: 'HMS_TOKEN' };
  if (isEmpty(clientId) && isEmpty(clientSecret)) return undefined;
  if (isEmpty(clientId) || isEmpty(clientSecret)) {
    throw new Failure(exitCodes.usage, 'Set both HMS_CLIENT_ID and HMS_CLIENT_SECRET, or neither.');
  }
  const tokenUrl = io.env['HMS_TOKEN_URL'] || `${url}/oauth2/token`;
  requireSafe(tokenUrl, 'HMS_TOKEN_URL');
  return { ...known, auth: { clientId, clientSecret, tokenUrl }, who: clientId };
}

function profileSession(name: string, { url, ...auth }: Profile): Session {
  return { url, auth, who: auth.clientId, from: `the profile ${name}`, isLocal: false };
}

async function localSession(io: Io, given: string, wanted: string): Promise<Session> {
  const url = requireUrl(given, 'HMS_URL');
  if (!isLoopback(url)) {
    throw new Failure(exitCodes.notAllowed, `No credentials for ${url}.`, [
      `hms-svc login --url ${url}`,
      'Or set HMS_CLIENT_ID and HMS_CLIENT_SECRET, or HMS_TOKEN',
    ]);
  }
  const client = await requireLocalClient(io, wanted);
  const { client_id: clientId, client_secret: clientSecret } = client;
  const auth = { clientId, clientSecret, tokenUrl: `${url}/oauth2/token` };
  return { url, auth, who: clientId, from: 'clients.json', isLocal: true };
}

/** Without a slash at its end. Errors: `Failure` for what is no address, or sends secrets in the clear. */
export function requireUrl(text: string, what: string): string {
  requireSafe(text, what);
  return text.replace(/\/+$/, '');
}

function requireSafe(text: string, what: string): void {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Failure(exitCodes.usage, `${what} is no https: address: "${text}"`);
  }
  if (url.protocol === 'http:' && !isLoopback(text)) {
    throw new Failure(exitCodes.usage, `${what} would send secrets in the clear: use https:`);
  }
}

function isEmpty(text: string | undefined): text is undefined | '' {
  return text === undefined || text === '';
}
