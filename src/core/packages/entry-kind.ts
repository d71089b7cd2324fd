import { packageLimits } from './package-limits.ts';

export type EntryKind = 'policy' | 'json' | 'scenario' | 'folder';

/** What may stand in a package, for messages. */
export const allowedEntries =
  'policy.yaml, metadata.json, signature.dsse.json, schema.json and scenarios/<name>.yaml';

const jsonEntries = new Set(['metadata.json', 'signature.dsse.json', 'schema.json']);
const scenario = /^scenarios\/[A-Za-z0-9._-]{1,200}\.yaml$/;

/** What an entry is, by its exact path; undefined for what no package holds. */
export function entryKind(path: string): EntryKind | undefined {
  if (path === 'policy.yaml') return 'policy';
  if (path === 'scenarios/') return 'folder';
  if (jsonEntries.has(path)) return 'json';
  return scenario.test(path) ? 'scenario' : undefined;
}

/** How large an entry of the kind may be, inflated. */
export function maxEntryBytes(kind: EntryKind): number {
  if (kind === 'folder') return 0;
  return kind === 'json' ? packageLimits.maxJsonBytes : packageLimits.maxYamlBytes;
}
