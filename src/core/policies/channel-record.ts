import type { Canary } from './canary.ts';
import type { Channel } from './channel.ts';

/** One policy in one channel of a tenant. */
export interface Lane {
  readonly tenant: string;
  readonly id: string;
  readonly channel: Channel;
}

/** One exact package of a policy, by name. */
export interface SnapshotRef {
  readonly snapshot: string;
  readonly version: string;
  /** SHA-256 of the stored package, 64 hex digits. */
  readonly digest: string;
}

/** A snapshot as a channel has it. */
export interface RuleRef extends SnapshotRef {
  /** SHA-256 of the rule's minimised JSON, as readers get it; absent in records from before it was kept. */
  readonly bodyDigest?: string;
}

/** A rule's minimised JSON: in the record itself up to 100 KB, else in the blob store. */
export type StoredBody =
  | { readonly json: string }
  | { readonly digest: string; readonly sizeBytes: number };

/** A snapshot with its body at hand. */
export interface PlacedRule extends RuleRef {
  readonly body: StoredBody;
}

export type Waiting<T> = T & {
  /** Unix time in ms from which on every reader takes it for the rule in force. */
  readonly effectiveAtMs: number;
};

/** What is in force in a channel, and what will be. */
export interface ChannelState<T extends RuleRef = RuleRef> {
  /** Raised by one with every change. Of two states of a channel, the higher is the later. */
  readonly gen: number;
  /** Null while the first rule of the channel waits. */
  readonly current: T | null;
  readonly next: Waiting<T> | null;
  /** While a run tries a candidate on a few. Its presence holds the lane: only the run moves it. */
  readonly canary?: Canary<T> | undefined;
}

/** The truth about one policy in one channel, and all that a reader needs: one record read. */
export interface ChannelRecord extends ChannelState<PlacedRule> {
  /** What was in force before, newest first, at most 10: where a rollback without a name goes. */
  readonly earlier: readonly SnapshotRef[];
}
