import { awsRelay } from '../src/compose/aws-relay.ts';
import { relayAllJournals } from '../src/core/journal/relay-journal.ts';
import { activateDue } from '../src/core/policies/activate-due.ts';

const deps = awsRelay();

/** Every minute: what took effect, and what the stream's trigger may have missed. */
export async function handler(): Promise<void> {
  await Promise.all([activateDue(deps), relayAllJournals(deps)]);
}
