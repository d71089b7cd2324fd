import type { RegisteredClient } from '../adapters/local/client-registry.ts';
import type { Deps } from '../core/deps.ts';
import { fanOut } from '../core/events/fan-out.ts';
import { eventsOf } from '../core/events-of.ts';
import { jobJournalsOf } from '../core/jobs/job-keys.ts';
import { keepWorking } from '../core/jobs/keep-working.ts';
import { workerTypes } from '../contract/worker-types.ts';
import { keepReconcilingJobs } from '../core/jobs/reconcile-jobs.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { keepRelaying } from '../core/journal/keep-relaying.ts';
import { keepDelivering } from '../core/partners/deliver-due.ts';
import { keepProbing } from '../core/registry/keep-probing.ts';
import { keepActivating } from '../core/policies/activate-due.ts';
import { keepReconciling } from '../core/rollouts/reconcile-runs.ts';
import { tellOfRollback } from '../core/rollouts/tell-of-rollback.ts';
import type { LocalJobs } from './local-jobs.ts';

/** How soon a run that nobody drives is found. */
const reconcileMs = 5000;
/** A job that fell out of the queue is found within two of these minutes. */
const reconcileJobs = { everyMs: 60_000, staleMs: 60_000, againMs: 600_000, maxJobs: 50_000 };

/**
 * Everything that runs beside the requests. Resolves when all of it has come to its end after
 * `stop`.
 */
export async function runBackground(
  deps: Deps & LocalJobs,
  clients: readonly RegisteredClient[],
  stop: AbortSignal,
): Promise<void> {
  const tellServices = fanOut(deps);
  const react = async (journal: string, entry: JournalEntry): Promise<void> => {
    await tellOfRollback(deps, journal, entry);
    await tellServices(journal, entry);
  };
  const relay = { ...deps, eventsOf, react };
  const tenants = [...new Set(clients.map(({ tenant }) => tenant))];
  const ofJobs = tenants.flatMap((tenant) => jobJournalsOf(tenant, deps.jobJournals));
  await Promise.all([
    ...[...tenants, ...ofJobs].map((journal) => keepRelaying(relay, journal, stop)),
    keepActivating(deps, stop),
    keepReconciling(deps, reconcileMs, stop),
    keepDelivering(deps, stop),
    keepWorking(deps, deps.workers, stop),
    keepProbing(deps, stop),
    keepReconcilingJobs({ ...deps, workerTypes }, reconcileJobs, stop),
  ]);
}
