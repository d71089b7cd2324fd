import type { Deps } from '../core/deps.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime } from './aws-runtime.ts';
import { lazyPort } from './lazy-port.ts';

/** What a function needs that takes runs a step further. */
export function awsRuns(): Pick<
  Deps,
  'clock' | 'ids' | 'log' | 'metrics' | 'signal' | 'records' | 'workflows'
> {
  return { ...awsRuntime(), records: awsRecords(), workflows: lazyAwsWorkflows() };
}

export function lazyAwsWorkflows(): Deps['workflows'] {
  return lazyPort<Deps['workflows']>(['start', 'signal', 'status'], async () =>
    (await import('./aws-workflows.ts')).awsWorkflows(),
  );
}
