import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { eventbridgeBus } from '../adapters/aws/eventbridge-bus.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { RelayDeps } from '../core/journal/relay-journal.ts';
import { eventsOf } from '../core/events-of.ts';
import { fanOut } from '../core/events/fan-out.ts';
import { tellShards } from '../core/push/push-interest.ts';
import { tellOfRollback } from '../core/rollouts/tell-of-rollback.ts';
import { awsClient, setting } from './aws-config.ts';
import { awsJobs } from './aws-jobs.ts';
import { awsPartners } from './aws-partners.ts';
import { awsPushQueue } from './aws-push-queue.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime } from './aws-runtime.ts';
import { jobWorkers } from './job-workers.ts';
import { lazyAwsBlobs } from './lazy-aws-blobs.ts';

/** What a function needs that hands journal entries to the event bus. */
export function awsRelay(): RelayDeps & ReturnType<typeof awsRuntime> {
  const client = new EventBridgeClient(awsClient);
  const base = {
    ...awsRuntime(),
    records: awsRecords(),
    blobs: lazyAwsBlobs(),
    ...awsPartners(),
  };
  const deps = { ...base, ...awsJobs(base), workers: jobWorkers(base) };
  const tellServices = fanOut(deps);
  return {
    ...deps,
    bus: eventbridgeBus({ client, bus: setting('HMS_BUS'), clock: systemClock }),
    eventsOf,
    react: async (journal, entry) => {
      await tellOfRollback(deps, journal, entry);
      await tellServices(journal, entry);
    },
    wake: tellShards({ ...base, pushQueue: awsPushQueue() }),
  };
}
