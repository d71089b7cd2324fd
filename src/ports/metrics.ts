/** What we count. Names and labels are Prometheus's; labels are few and never come from input. */
export interface Metrics {
  /** `hms_requests_total`, and `hms_requests_failed` when `status` is 500 or more. */
  requestDone(operation: string, status: number, durationMs: number): void;
  /** `hms_events_relayed_total`. */
  eventsRelayed(count: number): void;
  /** `hms_runs_open`: how many rollouts have not ended. */
  runsOpen(count: number): void;
  /**
   * `hms_jobs_ended_total` by type and outcome, and `hms_job_duration_ms` from enqueued to ended.
   * `type` is one that the service itself has a worker for, else `other`.
   */
  jobEnded(type: string, outcome: 'completed' | 'rejected' | 'dead', durationMs: number): void;
  /** `hms_job_attempts_failed_total`: attempts that will be repeated. */
  jobFailed(type: string): void;
  /** `hms_jobs_waiting`, `hms_jobs_running`, `hms_jobs_oldest_age_ms`, over all tenants. */
  jobsOpen(type: string, waiting: number, running: number, oldestAgeMs: number): void;
}
