import type { Deps } from '../core/deps.ts';
import type { WorkDeps } from '../core/jobs/work-on.ts';
import type { WorkerTable } from '../core/jobs/submit-job.ts';
import { governanceVet } from './governance-vet.ts';
import { jobWorkers } from './job-workers.ts';
import type { LocalConfig } from './local-config.ts';

/** What jobs need besides the ports. */
export interface LocalJobs extends Pick<WorkDeps, 'vet' | 'workerName' | 'isGone'> {
  readonly workers: WorkerTable;
}

const workerPrefix = 'hms-worker/';

/** The workers of this process, which is the only one that works on the store. */
export function localJobs(deps: Deps, config: LocalConfig): LocalJobs {
  const workerName = workerPrefix + deps.ids.next();
  return {
    workers: jobWorkers(deps),
    vet: governanceVet(deps, config.governanceDefault),
    workerName,
    // The store is this process's alone: whoever else has a lease of ours died before it.
    isGone: (worker) => worker.startsWith(workerPrefix) && worker !== workerName,
  };
}
