import { join } from 'node:path';
import { configFolder } from './config-folder.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

/** An installation, and the client that somebody is there. */
export interface Profile {
  readonly url: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface Profiles {
  /** The one that counts when none is named: the latest that was logged in. */
  readonly current: string | null;
  readonly profiles: Readonly<Record<string, Profile>>;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function profilesFile(io: Pick<Io, 'env'>): string {
  return join(configFolder(io), 'profiles.json');
}

/** Errors: `Failure` for a name that is none. */
export function requireProfileName(name: string): void {
  if (namePattern.test(name)) return;
  throw new Failure(exitCodes.usage, `"${name}" is no name for a profile: letters, digits, . _ -`);
}

/** None when nobody has logged in yet. Errors: `Failure` when the file is not for us alone, or none. */
export async function readProfiles(io: Pick<Io, 'env'>): Promise<Profiles> {
  const path = profilesFile(io);
  const text = await readPrivateFile(path);
  if (text === undefined) return { current: null, profiles: {} };
  try {
    const { current, profiles } = JSON.parse(text) as Profiles;
    if (!Object.values(profiles).every(isProfile)) throw new Error('a profile is not whole');
    return { current: current ?? null, profiles };
  } catch (cause) {
    const next = [`Remove ${path} and log in again: hms-svc login`];
    throw new Failure(exitCodes.usage, `${path} is damaged.`, next, { cause });
  }
}

export async function writeProfiles(io: Pick<Io, 'env'>, profiles: Profiles): Promise<void> {
  await writePrivateFile(profilesFile(io), `${JSON.stringify(profiles, undefined, 2)}\n`);
}

/** Errors: `Failure` that names those there are. */
export async function requireProfile(io: Pick<Io, 'env'>, name: string): Promise<Profile> {
  const { profiles } = await readProfiles(io);
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(profiles).join(', ') || 'none yet';
  throw new Failure(exitCodes.usage, `There is no profile "${name}"; there are: ${names}.`, [
    `hms-svc login --profile ${name}`,
  ]);
}

function isProfile(value: unknown): value is Profile {
  const { url, tokenUrl, clientId, clientSecret } = (value ?? {}) as Record<string, unknown>;
  return [url, tokenUrl, clientId, clientSecret].every((text) => typeof text === 'string');
}
