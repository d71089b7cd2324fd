import { zipSync } from 'fflate';

/**
 * The package of a bare YAML document: a ZIP with `policy.yaml` alone. The same document gives
 * the same bytes for ever: on any machine, in any time zone, with any version of a compressor,
 * since the entry is stored as it is.
 */
export function packPolicy(yaml: Uint8Array): Uint8Array {
  return packFiles({ 'policy.yaml': yaml });
}

/** The package of several files, in the order of their names: the same bytes for the same files. */
export function packFiles(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const options = { level: 0, mtime: fixedTime(), os: 0, attrs: 0 } as const;
  return zipSync(Object.fromEntries(sorted), options);
}

/**
 * fflate writes the local time, as ZIP has it: so name the fields, not the instant. Noon exists
 * on every day of every zone; 1980 is where ZIP begins.
 */
function fixedTime(): Date {
  return new Date(1980, 0, 1, 12);
}
