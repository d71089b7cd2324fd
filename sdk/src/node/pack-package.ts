import { unzipSync } from 'fflate';
import { parseDocument } from 'yaml';
import { HmsError } from '../api/errors.ts';
import { type PolicyFiles, readPolicyFiles, ruleFile } from './read-policy-files.ts';
import { zipFiles } from './zip-files.ts';

export interface PackedPolicy {
  /** As its rule says. */
  readonly id: string;
  readonly version: string;
  /** The ZIP, as it is to be sent. */
  readonly bytes: Uint8Array;
  /** What it holds, by path. Empty for a ZIP that came as such. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
}

const maxRuleBytes = 256 * 1024;

/**
 * The package of a YAML rule, or of a folder with `policy.yaml`; a ZIP is taken as it is. The same
 * files give the same bytes for ever, those that the service makes of a bare rule. What the rule
 * says beyond its id and version is left for the service to check.
 * Errors: `HmsError` for what no package can be made of.
 */
export async function packPackage(path: string): Promise<PackedPolicy> {
  const read = await readPolicyFiles(path);
  if (!(read instanceof Uint8Array)) return packed(read, path);
  if (!isZip(read)) return packed({ [ruleFile]: read }, path);
  return { ...namesOf(ruleIn(read, path), path), bytes: read, files: [] };
}

function packed(files: PolicyFiles, path: string): PackedPolicy {
  const sizes = Object.entries(files).map(([name, { byteLength }]) => ({
    path: name,
    sizeBytes: byteLength,
  }));
  const rule = files[ruleFile] ?? new Uint8Array();
  return { ...namesOf(rule, path), bytes: zipFiles(files), files: sizes };
}

function isZip([first, second, third, fourth]: Uint8Array): boolean {
  return first === 0x50 && second === 0x4b && third === 3 && fourth === 4;
}

function ruleIn(zip: Uint8Array, path: string): Uint8Array {
  const refuse = (why: string, cause?: unknown) => new HmsError(`${path} ${why}`, { cause });
  let rule: Uint8Array | undefined;
  try {
    rule = unzipSync(zip, {
      filter: ({ name, originalSize }) => name === ruleFile && originalSize <= maxRuleBytes,
    })[ruleFile];
  } catch (error) {
    throw refuse('is a broken ZIP; pack it again.', error);
  }
  if (rule === undefined) throw refuse(`has no ${ruleFile} of at most 256 KiB at its top.`);
  return rule;
}

export function namesOf(rule: Uint8Array, path: string): Pick<PackedPolicy, 'id' | 'version'> {
  if (rule.byteLength > maxRuleBytes) throw new HmsError(`${path} is larger than 256 KiB.`);
  const document = parseDocument(new TextDecoder().decode(rule), { schema: 'core', merge: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new HmsError(`${path} is no YAML: ${problem.message}`, { cause: problem });
  }
  const text = (name: string): string => {
    const value: unknown = document.has(name) ? document.get(name) : undefined;
    if (typeof value === 'string' && value !== '') return value;
    throw new HmsError(`${path} has no ${name} that is a text; quote it if it is a number.`);
  };
  return { id: text('id'), version: text('version') };
}
