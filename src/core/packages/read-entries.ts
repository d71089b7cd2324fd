import type { Json } from '../values/json.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import { entryKind } from './entry-kind.ts';
import { refusePackage } from './refuse-package.ts';
import { yamlToJson } from './yaml-to-json.ts';
import { readZipDirectory } from './zip-directory.ts';
import { unpack, type ZipMember } from './zip-member.ts';

/** A file of `scenarios/`. */
export interface ScenarioEntry {
  /** The file's name without `.yaml`. */
  readonly name: string;
  readonly document: Json;
}

/**
 * The scenarios of a package that was checked when it was stored, by name.
 * Errors, as of all here: `Unprocessable` for bytes that are no sound package.
 */
export async function scenariosOf(zip: Uint8Array): Promise<ScenarioEntry[]> {
  const members = await readZipDirectory(zip);
  const entries: ScenarioEntry[] = [];
  for (const member of members.filter(({ path }) => entryKind(path) === 'scenario')) {
    const name = member.path.slice('scenarios/'.length, -'.yaml'.length);
    entries.push({ name, document: yamlToJson(await textOf(member)) });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The JSON Schema of a package; undefined when it has none. */
export async function schemaOf(zip: Uint8Array): Promise<Json | undefined> {
  const text = await entryText(zip, 'schema.json');
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}

/** The rule of a package as its author wrote it. */
export async function policyYamlOf(zip: Uint8Array): Promise<string> {
  const text = await entryText(zip, 'policy.yaml');
  if (text !== undefined) return text;
  throw refusePackage({ pointer: 'policy.yaml', detail: 'is missing' });
}

async function entryText(zip: Uint8Array, path: string): Promise<string | undefined> {
  const member = (await readZipDirectory(zip)).find((one) => one.path === path);
  return member === undefined ? undefined : textOf(member);
}

async function textOf(member: ZipMember): Promise<string> {
  const text = decodeUtf8(await unpack(member));
  if (text !== undefined) return text;
  throw refusePackage({ pointer: member.path, detail: 'is not UTF-8; save it as UTF-8' });
}
