/**
 * What came of a call through the gateway. `answered`: by the service, with a status below 500.
 * `failed`: the service answered 500 or more, gave no sound answer in time, or nothing of it is up.
 * `abandoned`: the caller went away, or would not wait as long as the service may take. `refused`:
 * the call was not one that is sent. `internal`: we failed.
 */
export type ServiceCallOutcome = 'answered' | 'failed' | 'abandoned' | 'refused' | 'internal';

/** What we count. Names and labels are Prometheus's; labels are few and never come from input. */
export interface Metrics {
  /**
   * `hms_requests_total`, and `hms_requests_failed` when `status` is 500 or more. `ofService`: it is a
   * service behind the gateway that answered so, or did not answer, and no failure of ours.
   */
  requestDone(operation: string, status: number, durationMs: number, ofService?: boolean): void;
  /**
   * `hms_service_requests_total` and the time to the head of the answer, by tenant, service and
   * outcome. `service` is a registered one, or null where none was to be asked. An adapter tells so
   * many services apart and no more: further ones are counted together, as `_other`.
   */
  serviceCalled(
    tenant: string,
    service: string | null,
    outcome: ServiceCallOutcome,
    durationMs: number,
  ): void;
  /** `hms_service_answers_broken_total`: answers that broke off after their head, likewise. */
  serviceAnswerBroke(tenant: string, service: string): void;
  /** `hms_services` by status: how many services of all tenants are green, yellow or red. */
  servicesSeen(status: 'green' | 'yellow' | 'red', count: number): void;
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
