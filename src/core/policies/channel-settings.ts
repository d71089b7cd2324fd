import type { CanaryPlan } from './canary-plan.ts';

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

export type Weekday = (typeof weekdays)[number];

/** A time in which no rule moves forward in a channel; going back is always possible. */
export type BlackoutWindow =
  | {
      /** The days on which it begins. */
      readonly days: readonly Weekday[];
      /** `HH:MM` on the clocks of the time zone; a window up to the same or an earlier one ends the next day. */
      readonly from: string;
      readonly to: string;
      /** IANA, such as `America/New_York`. */
      readonly timeZone: string;
      readonly reason: string;
    }
  | {
      /** RFC 3339: once. */
      readonly since: string;
      readonly until: string;
      readonly reason: string;
    };

/** How a channel takes new rules. */
export interface ChannelSettings {
  /** Only by a rollout: what is published or promoted to the channel becomes a run. */
  readonly staged: boolean;
  /** The people who must approve a run to this channel; 0 for none. */
  readonly approvals: number;
  /** At most 50. */
  readonly blackouts: readonly BlackoutWindow[];
  /** How a run tries its candidate unless it says otherwise; null: not at all. */
  readonly canary: CanaryPlan | null;
}

export const defaultSettings: ChannelSettings = {
  staged: false,
  approvals: 0,
  blackouts: [],
  canary: null,
};
