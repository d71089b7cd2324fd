import { caseToClose, eventDelivery, potholeReport } from '../contract/job-data-schemas.ts';
import { closeCaseWorker } from '../core/cases/close-case-worker.ts';
import { potholeWorker } from '../core/cases/pothole-worker.ts';
import type { Deps } from '../core/deps.ts';
import { deliverEventWorker } from '../core/events/deliver-event-worker.ts';
import type { WorkerTable } from '../core/jobs/submit-job.ts';
import { referenceIndexes } from '../core/reference/reference-indexes.ts';

/** The workers of this service. Each type is in `src/contract/worker-types.ts`, which has its queues made. */
export function jobWorkers(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'secrets' | 'partners'>,
): WorkerTable {
  const { clock, secrets, partners } = deps;
  const references = referenceIndexes(deps);
  const workers = [
    potholeWorker({ schema: potholeReport, references, clock }),
    closeCaseWorker({ schema: caseToClose, clock }),
    deliverEventWorker({ schema: eventDelivery, clock, secrets, partners }),
  ];
  return new Map(workers.map((worker) => [worker.type, worker]));
}
