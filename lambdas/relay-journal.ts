import type { DynamoDBStreamEvent } from 'aws-lambda';
import { awsRelay } from '../src/compose/aws-relay.ts';
import { relayJournals } from '../src/core/journal/relay-journal.ts';
import { journalOfPartition } from '../src/core/journal/journal-keys.ts';

const deps = awsRelay();

/** The stream says which journals grew; what is new stands in the journal itself. */
export async function handler(event: DynamoDBStreamEvent): Promise<void> {
  const partitions = event.Records.map((record) => record.dynamodb?.Keys?.['pk']?.S ?? '');
  await relayJournals(deps, [...new Set(partitions.map(journalOfPartition))]);
}
