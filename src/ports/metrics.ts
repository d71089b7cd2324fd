/** What we count. Names and labels are Prometheus's; labels are few and never come from input. */
export interface Metrics {
  /** `hms_requests_total`, and `hms_requests_failed` when `status` is 500 or more. */
  requestDone(operation: string, status: number, durationMs: number): void;
  /** `hms_events_relayed_total`. */
  eventsRelayed(count: number): void;
  /** `hms_runs_open`: how many rollouts have not ended. */
  runsOpen(count: number): void;
}
