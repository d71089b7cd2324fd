import type { Clock } from '../../ports/clock.ts';
import type { Metrics } from '../../ports/metrics.ts';

export interface EmfMetricsOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Takes one line, with its line break. On Lambda, what goes to stdout becomes metrics. */
  readonly write: (line: string) => void;
  /** `hms` unless named: a stage beside another has its own, so that their numbers do not mix. */
  readonly namespace?: string | undefined;
}

interface MetricDefinition {
  readonly Name: string;
  readonly Unit: 'Count' | 'Milliseconds';
}

const requestMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_requests_total', Unit: 'Count' },
  { Name: 'hms_requests_failed', Unit: 'Count' },
  { Name: 'hms_request_duration_ms', Unit: 'Milliseconds' },
];
const relayMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_events_relayed_total', Unit: 'Count' },
];
const runMetrics: readonly MetricDefinition[] = [{ Name: 'hms_runs_open', Unit: 'Count' }];
const endedJobMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_jobs_ended_total', Unit: 'Count' },
  { Name: 'hms_job_duration_ms', Unit: 'Milliseconds' },
];
const failedAttemptMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_job_attempts_failed_total', Unit: 'Count' },
];
const openJobMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_jobs_waiting', Unit: 'Count' },
  { Name: 'hms_jobs_running', Unit: 'Count' },
  { Name: 'hms_jobs_oldest_age_ms', Unit: 'Milliseconds' },
];

/**
 * `Metrics` as lines in the CloudWatch embedded metric format, with the labels as dimensions: no
 * call to CloudWatch, and nothing kept between requests.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function emfMetrics({ clock, write, namespace = 'hms' }: EmfMetricsOptions): Metrics {
  const emit = (
    dimensions: readonly string[],
    metrics: readonly MetricDefinition[],
    members: Readonly<Record<string, string | number>>,
  ): void => {
    const directive = { Namespace: namespace, Dimensions: [dimensions], Metrics: metrics };
    const _aws = { Timestamp: clock.nowMs(), CloudWatchMetrics: [directive] };
    write(`${JSON.stringify({ _aws, ...members })}\n`);
  };
  return {
    requestDone(operation, status, durationMs) {
      emit(['operation'], requestMetrics, {
        operation,
        // Not a metric: for those who search the log.
        status,
        hms_requests_total: 1,
        hms_requests_failed: status >= 500 ? 1 : 0,
        hms_request_duration_ms: durationMs,
      });
    },
    eventsRelayed(count) {
      emit([], relayMetrics, { hms_events_relayed_total: count });
    },
    runsOpen(count) {
      emit([], runMetrics, { hms_runs_open: count });
    },
    jobEnded(type, outcome, durationMs) {
      emit(['type', 'outcome'], endedJobMetrics, {
        type,
        outcome,
        hms_jobs_ended_total: 1,
        hms_job_duration_ms: durationMs,
      });
    },
    jobFailed(type) {
      emit(['type'], failedAttemptMetrics, { type, hms_job_attempts_failed_total: 1 });
    },
    jobsOpen(type, waiting, running, oldestAgeMs) {
      emit(['type'], openJobMetrics, {
        type,
        hms_jobs_waiting: waiting,
        hms_jobs_running: running,
        hms_jobs_oldest_age_ms: oldestAgeMs,
      });
    },
  };
}
