import { zipSync } from 'fflate';
import type { PolicyFiles } from './read-policy-files.ts';

/** A ZIP of these files. The same files give the same bytes for ever, and those of the service. */
export function zipFiles(files: PolicyFiles): Uint8Array {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // Stored, not compressed, and from noon of the first day that ZIP knows: the same everywhere.
  const options = { level: 0, mtime: new Date(1980, 0, 1, 12), os: 0, attrs: 0 } as const;
  return zipSync(Object.fromEntries(sorted), options);
}
