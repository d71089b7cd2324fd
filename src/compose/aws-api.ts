import type { Deps } from '../core/deps.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime, awsVerifier } from './aws-runtime.ts';
import { lazyBlobs } from './lazy-blobs.ts';

/** What a function needs that answers calls. */
export function awsApi(): Omit<Deps, 'bus'> & { readonly basePath: string } {
  return {
    ...awsRuntime(),
    records: awsRecords(),
    blobs: lazyBlobs(async () => (await import('./aws-blobs.ts')).awsBlobs()),
    verifier: awsVerifier(),
    basePath: process.env['HMS_BASE_PATH'] ?? '',
  };
}
