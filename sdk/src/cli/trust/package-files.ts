import { unzipSync } from 'fflate';
import { HmsError } from '../../api/errors.ts';
import { namesOf, type PackedPolicy, packPackage } from '../../node/pack-package.ts';
import { type PolicyFiles, ruleFile } from '../../node/read-policy-files.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

/** A package with all that it holds. */
export interface OpenPackage {
  readonly id: string;
  readonly version: string;
  readonly bytes: Uint8Array;
  readonly files: PolicyFiles;
}

/** As the service has them: no package holds more. */
const maxEntries = 64;
const maxUnpackedBytes = 20 * 1024 * 1024;

/** A rule, a folder or a ZIP as a package. Errors: `Failure`. */
export async function openPackage(path: string): Promise<OpenPackage> {
  const { id, version, bytes } = await packed(path);
  return { id, version, bytes, files: unpack(bytes, path) };
}

/** The same of the bytes of a ZIP. Errors: `Failure`. */
export async function openZip(bytes: Uint8Array, where: string): Promise<OpenPackage> {
  const files = unpack(bytes, where);
  const rule = files[ruleFile] ?? new Uint8Array();
  return { ...(await understood(async () => namesOf(rule, where))), bytes, files };
}

/** The same of a path without a look at what it holds, for what the service checks. */
export async function packed(path: string): Promise<PackedPolicy> {
  return understood(async () => packPackage(path));
}

async function understood<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof HmsError)) throw error;
    throw new Failure(exitCodes.usage, error.message, [], { cause: error });
  }
}

/** Errors: `Failure` for a ZIP that is broken, too large, or that two readers take for two things. */
export function unpack(bytes: Uint8Array, where: string): PolicyFiles {
  const names: string[] = [];
  let sizeBytes = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter({ name, originalSize }) {
        names.push(name);
        sizeBytes += originalSize;
        return names.length <= maxEntries && sizeBytes <= maxUnpackedBytes && !name.endsWith('/');
      },
    });
  } catch (cause) {
    throw new Failure(exitCodes.refused, `${where} is a broken ZIP.`, [], { cause });
  }
  if (names.length > maxEntries || sizeBytes > maxUnpackedBytes) {
    throw new Failure(exitCodes.refused, `${where} holds more than a package may.`);
  }
  const plain = names.filter((name) => !name.endsWith('/'));
  if (new Set(names).size < names.length || Object.keys(files).length < plain.length) {
    throw new Failure(exitCodes.refused, `${where} has two files of one name.`);
  }
  return files;
}
