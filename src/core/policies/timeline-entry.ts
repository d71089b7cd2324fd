import type { JournalEntry } from '../journal/journal-entry.ts';
import type { Channel } from './channel.ts';
import type { ChannelState } from './channel-record.ts';

/** `before` and `after` of a journal entry that moved a channel. */
// A type alias, since an interface is not assignable to `Json`.
export type ChangedLane = {
  readonly channel: Channel;
  readonly snapshot: string;
  readonly version: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly gen: number;
  /** RFC 3339; set when the rule is not in force before then. */
  readonly effectiveAt: string | null;
  /** The run that did it, if one did. */
  readonly run?: number;
};

/** What became of one policy of several that one entry moved: an item of `after.lanes`. */
export type MovedLane = ChangedLane & {
  readonly id: string;
  readonly action: LaneAction;
  /** The snapshot in force for everyone until then. */
  readonly before: string | null;
};

/**
 * `policy.canary`: some readers get the snapshot; `policy.released`: everyone does;
 * `policy.restored`: everyone is back on the snapshot.
 */
export type LaneAction = 'policy.canary' | 'policy.released' | 'policy.restored';

/**
 * One change of a channel: the journal's index by policy, channel and time, and the whole state
 * that the change led to. So the rule in force at any time is one read and `resolveRule`.
 */
export interface TimelineEntry extends Pick<
  JournalEntry,
  'index' | 'at' | 'actor' | 'action' | 'requestId' | 'reason'
> {
  /** What the change was about: now in force, or waiting. */
  readonly changed: ChangedLane;
  /** What was in force until then. */
  readonly before: ChangedLane | null;
  readonly state: ChannelState;
}
