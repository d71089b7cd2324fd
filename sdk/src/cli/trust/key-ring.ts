import type { KeyObject } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { configFolder } from '../config-folder.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { readPrivateFile, writePrivateFile } from '../private-file.ts';
import { keyIdOf, newPrivateKeyPem, parsePrivateKey, parsePublicKey } from './keys.ts';

/** A key of a person or an office, that is signed with here or that is only known. */
export interface RingKey {
  /** As people call it: `EPA Chief`. */
  readonly name: string;
  readonly id: string;
  /** Private where it is ours to sign with. */
  readonly key: KeyObject;
}

const namePattern = /^[\p{L}\p{N}][\p{L}\p{N} ._'-]{0,63}$/u;
const suffixes = { private: '.key.pem', public: '.pub.pem' } as const;

export function keyFolder(io: Pick<Io, 'env'>): string {
  return join(configFolder(io), 'keys');
}

/** All keys, by name. Errors: `Failure` for one that others may read, or that is damaged. */
export async function readKeyRing(io: Pick<Io, 'env'>): Promise<readonly RingKey[]> {
  const folder = keyFolder(io);
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = await Promise.all(files.map((file) => readKey(folder, file)));
  return found
    .filter((key) => key !== undefined)
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** Errors: `Failure` that says how to make one. */
export async function requireKey(io: Pick<Io, 'env'>, name: string): Promise<RingKey> {
  const ring = await readKeyRing(io);
  const found = ring.find((key) => key.name === name || key.id === name);
  if (found !== undefined) return found;
  const names = ring.map((key) => `"${key.name}"`).join(', ') || 'none yet';
  throw new Failure(exitCodes.notFound, `There is no key "${name}"; there are: ${names}.`, [
    `hms-svc keys create --name "${name}"`,
  ]);
}

/** Makes a key to sign with. Errors: `Failure` for a name that is taken, or none. */
export async function createKey(io: Pick<Io, 'env'>, name: string): Promise<RingKey> {
  const pem = newPrivateKeyPem();
  await putKey(io, name, 'private', pem);
  const key = parsePrivateKey(pem, name);
  return { name, id: keyIdOf(key), key };
}

/** Keeps the public key of somebody else, whose signatures count from then on. Errors: as of `createKey`. */
export async function addPublicKey(
  io: Pick<Io, 'env'>,
  name: string,
  pem: string,
): Promise<RingKey> {
  const key = parsePublicKey(pem, `The key of "${name}"`);
  await putKey(io, name, 'public', pem);
  return { name, id: keyIdOf(key), key };
}

/** What it has signed stays signed; but nobody here counts it any more. */
export async function removeKey(io: Pick<Io, 'env'>, { name, key }: RingKey): Promise<void> {
  const kind = key.type === 'private' ? 'private' : 'public';
  await rm(fileOf(io, name, kind));
}

async function putKey(
  io: Pick<Io, 'env'>,
  name: string,
  kind: keyof typeof suffixes,
  pem: string,
): Promise<void> {
  if (!namePattern.test(name)) {
    throw new Failure(
      exitCodes.usage,
      `"${name}" is no name for a key: letters, digits, space . _ ' -`,
    );
  }
  const ring = await readKeyRing(io);
  if (ring.some((key) => key.name.toLowerCase() === name.toLowerCase())) {
    throw new Failure(exitCodes.refused, `There is a key "${name}" already.`, [
      `Take another name, or remove that one: hms-svc keys remove "${name}"`,
    ]);
  }
  await writePrivateFile(fileOf(io, name, kind), pem);
}

function fileOf(io: Pick<Io, 'env'>, name: string, kind: keyof typeof suffixes): string {
  return join(keyFolder(io), `${encodeURIComponent(name)}${suffixes[kind]}`);
}

async function readKey(folder: string, file: string): Promise<RingKey | undefined> {
  const isPrivate = file.endsWith(suffixes.private);
  const suffix = isPrivate ? suffixes.private : suffixes.public;
  if (!file.endsWith(suffix)) return undefined;
  const path = join(folder, file);
  const pem = (await readPrivateFile(path)) ?? '';
  const key = isPrivate ? parsePrivateKey(pem, path) : parsePublicKey(pem, path);
  return { name: decodeURIComponent(file.slice(0, -suffix.length)), id: keyIdOf(key), key };
}
