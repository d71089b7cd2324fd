import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HmsError } from '../api/errors.ts';

/** Of a package as it is sent. */
const maxBytes = 5 * 1024 * 1024;
/** The name of the rule in its package. */
export const ruleFile = 'policy.yaml';
const topFiles: ReadonlySet<string> = new Set([
  ruleFile,
  'metadata.json',
  'schema.json',
  'signature.dsse.json',
]);
const scenario = /^[A-Za-z0-9._-]{1,200}\.yaml$/;
const allowed = `${[...topFiles].join(', ')} and scenarios/<name>.yaml`;

/** The files of a package, by their paths there. */
export type PolicyFiles = Readonly<Record<string, Uint8Array>>;

/**
 * The bytes of a file, or all that a folder holds for a package. A folder with anything else in it is
 * refused, rather than sent in part. Errors: `HmsError`.
 */
export async function readPolicyFiles(path: string): Promise<Uint8Array | PolicyFiles> {
  const found = await stat(path).catch((error: unknown) => {
    throw new HmsError(`${path} cannot be read: name a YAML file, a ZIP or a folder.`, {
      cause: error,
    });
  });
  if (found.isDirectory()) return filesIn(path);
  return readBounded(path, found, maxBytes);
}

async function filesIn(folder: string): Promise<PolicyFiles> {
  const names = await readdir(folder);
  const paths: string[] = [];
  for (const name of names.toSorted()) {
    if (topFiles.has(name)) paths.push(name);
    else if (name === 'scenarios') paths.push(...(await scenariosIn(join(folder, name))));
    else throw strange(join(folder, name));
  }
  if (!paths.includes(ruleFile)) {
    throw new HmsError(`${folder} is no package: it has no ${ruleFile}.`);
  }
  const files: Record<string, Uint8Array> = {};
  let leftBytes = maxBytes;
  for (const path of paths) {
    const file = join(folder, path);
    // Not `stat`: a link in a folder may lead out of it.
    const bytes = await readBounded(file, await lstat(file), leftBytes);
    leftBytes -= bytes.byteLength;
    files[path] = bytes;
  }
  return files;
}

async function scenariosIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new HmsError(`${folder} is not a folder, as it is in a package.`, { cause: error });
  });
  for (const name of names) if (!scenario.test(name)) throw strange(join(folder, name));
  return names.map((name) => `scenarios/${name}`);
}

/** What is read from a device may never end. */
async function readBounded(path: string, found: Stats, leftBytes: number): Promise<Uint8Array> {
  if (!found.isFile()) throw new HmsError(`${path} is not a plain file; put the file there.`);
  if (found.size > leftBytes) {
    throw new HmsError(`${path} is too much: a package has at most 5 MiB.`);
  }
  return readFile(path);
}

function strange(path: string): HmsError {
  return new HmsError(`${path} is not part of a package; leave it out. It holds ${allowed}.`);
}
