import type { Deps } from '../core/deps.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime, awsVerifier } from './aws-runtime.ts';
import { lazyAwsBlobs } from './lazy-blobs.ts';

type ApiDeps = Omit<Deps, 'bus' | 'workflows' | 'secrets' | 'partners'>;

/** What a function needs that answers calls. */
export function awsApi(): ApiDeps & { readonly basePath: string } {
  return {
    ...awsRuntime(),
    records: awsRecords(),
    blobs: lazyAwsBlobs(),
    verifier: awsVerifier(),
    basePath: process.env['HMS_BASE_PATH'] ?? '',
  };
}
