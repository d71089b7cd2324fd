/** How a candidate is tried, every option settled. */
export interface CanaryPlan {
  /** Share of the subjects, 0.01 to 100. */
  readonly percent: number;
  /** `region:<name>`; null for all subjects. */
  readonly scope: string | null;
  readonly observeSeconds: number;
  /** So many new alerts fail the canary at once. */
  readonly maxNewAlerts: number;
  /** Decisions that the canary's arm must have made for a verdict. */
  readonly minDecisions: number;
  /** No telemetry at all passes, too. */
  readonly allowSilent: boolean;
  /** So many services must acknowledge the candidate, instead of the time; null: the time counts. */
  readonly quorum: number | null;
}
