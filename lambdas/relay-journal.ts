import type { DynamoDBStreamEvent } from 'aws-lambda';
import { awsRelay } from '../src/compose/aws-relay.ts';
import { relayJournal } from '../src/core/journal/relay-journal.ts';
import { tenantOfPartition } from '../src/core/journal/journal-keys.ts';

const deps = awsRelay();

/** The stream says whose journal grew; what is new stands in the journal itself. */
export async function handler(event: DynamoDBStreamEvent): Promise<void> {
  const partitions = event.Records.map((record) => record.dynamodb?.Keys?.['pk']?.S ?? '');
  for (const tenant of new Set(partitions.map(tenantOfPartition))) {
    await relayJournal(deps, tenant);
  }
}
