import type { RuleRef } from './channel-record.ts';

/** Who tries a candidate first. */
export interface CanaryAudience {
  /** Share of the subjects, in hundredths of a percent: 500 is 5 %. 1 to 10 000. */
  readonly weight: number;
  /** Fixed for a run and new for the next, so that not always the same are first. */
  readonly salt: string;
  /** Only subjects of this region; null for any. */
  readonly region: string | null;
}

/** A candidate that its audience gets instead of the current rule, as long as its lease lasts. */
export interface Canary<T extends RuleRef = RuleRef> extends CanaryAudience {
  readonly run: number;
  readonly rule: T;
  /** Unix ms. Whoever drives the run renews it; once it is over, everyone is on the current rule. */
  readonly leaseUntilMs: number;
  /**
   * Unix ms of the candidate's effective time when that is still to come: until then it is
   * evaluated beside the current rule and not enforced. Null: enforced at once.
   */
  readonly enforcedFromMs: number | null;
}

/** Who asks: a canary sorts by it. */
export interface Reader {
  readonly subject: string;
  readonly region: string | undefined;
}

/** How long a canary lives unless it is renewed. Also for a reader that cannot ask any more. */
export const canaryLeaseMs = 90_000;
