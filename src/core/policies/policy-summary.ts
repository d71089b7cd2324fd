import type { CanaryAudience } from './canary.ts';
import type { Channel } from './channel.ts';
import type { ChannelState } from './channel-record.ts';

/** The light record of a policy: what lists, manifests and GraphQL read, without any body. */
export interface PolicySummary {
  readonly id: string;
  readonly createdAt: string;
  readonly channels: Partial<Readonly<Record<Channel, ChannelState>>>;
}

/** What changed last in a channel of a tenant. */
export interface ChannelHead {
  /** The journal entry of the last change. */
  readonly index: number;
  /** The policies with a rule that waits: from when on it is in force, in Unix ms. */
  readonly waiting: Readonly<Record<string, number>>;
  /** The policies with a canary: whoever is in its audience has a manifest of their own. */
  readonly canaries?: Readonly<Record<string, CanaryTerms>>;
}

/** All of a canary but its rule. */
export interface CanaryTerms extends CanaryAudience {
  readonly leaseUntilMs: number;
  readonly enforcedFromMs: number | null;
}

/** Rules that may wait in one channel at a time. */
export const maxWaiting = 2000;
