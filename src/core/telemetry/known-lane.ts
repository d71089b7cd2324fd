import { NotFound } from '../errors/app-error.ts';
import type { ChannelRecord, Lane } from '../policies/channel-record.ts';

/**
 * The state of a channel that a service speaks of.
 * Errors: `NotFound` when the channel does not have the policy, or the policy not the snapshot.
 */
export function knownLane(
  { id, channel }: Lane,
  record: ChannelRecord | undefined,
  name: string,
  snapshot: unknown,
): ChannelRecord {
  if (record === undefined) throw new NotFound(`There is no policy "${id}" in ${channel}.`);
  if (snapshot !== undefined) return record;
  throw new NotFound(`The policy has no snapshot "${name}". List them with GET …/snapshots.`);
}
