import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { eventbridgeBus } from '../adapters/aws/eventbridge-bus.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { RelayDeps } from '../core/journal/relay-journal.ts';
import { eventsOf } from '../core/events-of.ts';
import { tellOfRollback } from '../core/rollouts/tell-of-rollback.ts';
import { awsClient, setting } from './aws-config.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime } from './aws-runtime.ts';

/** What a function needs that hands journal entries to the event bus. */
export function awsRelay(): RelayDeps & ReturnType<typeof awsRuntime> {
  const client = new EventBridgeClient(awsClient);
  const deps = { ...awsRuntime(), records: awsRecords() };
  return {
    ...deps,
    bus: eventbridgeBus({ client, bus: setting('HMS_BUS'), clock: systemClock }),
    eventsOf,
    react: (tenant, entry) => tellOfRollback(deps, tenant, entry),
  };
}
