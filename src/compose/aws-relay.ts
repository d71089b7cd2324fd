import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { eventbridgeBus } from '../adapters/aws/eventbridge-bus.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { RelayDeps } from '../core/journal/relay-journal.ts';
import { policyEventsOf } from '../core/policies/policy-events.ts';
import { awsClient, setting } from './aws-config.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime } from './aws-runtime.ts';

/** What a function needs that hands journal entries to the event bus. */
export function awsRelay(): RelayDeps & ReturnType<typeof awsRuntime> {
  const client = new EventBridgeClient(awsClient);
  return {
    ...awsRuntime(),
    records: awsRecords(),
    bus: eventbridgeBus({ client, bus: setting('HMS_BUS'), clock: systemClock }),
    eventsOf: policyEventsOf,
  };
}
