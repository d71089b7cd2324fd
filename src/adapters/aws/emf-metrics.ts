import type { Clock } from '../../ports/clock.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { KnownServiceLabels, maxServiceLabels } from '../runtime/service-labels.ts';

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
/** Of all of them together: what was no failure of ours. */
const failedByServiceMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_requests_failed_by_services', Unit: 'Count' },
];
const serviceCallMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_service_requests_total', Unit: 'Count' },
  { Name: 'hms_service_requests_failed', Unit: 'Count' },
  { Name: 'hms_service_request_duration_ms', Unit: 'Milliseconds' },
];
const refusedCallMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_service_requests_total', Unit: 'Count' },
];
const brokenAnswerMetrics: readonly MetricDefinition[] = [
  { Name: 'hms_service_answers_broken_total', Unit: 'Count' },
];
const seenServiceMetrics: readonly MetricDefinition[] = [{ Name: 'hms_services', Unit: 'Count' }];
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

/** Metrics, each by all of these sets of dimensions. */
type Directive = readonly [
  dimensions: readonly (readonly string[])[],
  metrics: readonly MetricDefinition[],
];
const overall = [[]] as const;

/**
 * `Metrics` as lines in the CloudWatch embedded metric format, with the labels as dimensions: no
 * call to CloudWatch, and nothing kept between requests.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function emfMetrics({ clock, write, namespace = 'hms' }: EmfMetricsOptions): Metrics {
  const emitAll = (
    directives: readonly Directive[],
    members: Readonly<Record<string, string | number>>,
  ): void => {
    const CloudWatchMetrics = directives.map(([Dimensions, Metrics]) => {
      return { Namespace: namespace, Dimensions, Metrics };
    });
    const _aws = { Timestamp: clock.nowMs(), CloudWatchMetrics };
    write(`${JSON.stringify({ _aws, ...members })}\n`);
  };
  const emit = (
    dimensions: readonly string[],
    metrics: readonly MetricDefinition[],
    members: Readonly<Record<string, string | number>>,
  ): void => emitAll([[[dimensions], metrics]], members);
  return {
    ...serviceLines(emitAll),
    requestDone(operation, status, durationMs, ofService = false) {
      const failed = status >= 500 ? 1 : 0;
      const own: Directive = [[['operation']], requestMetrics];
      emitAll(ofService ? [own, [overall, failedByServiceMetrics]] : [own], {
        operation,
        // Not a metric: for those who search the log.
        status,
        hms_requests_total: 1,
        hms_requests_failed: ofService ? 0 : failed,
        hms_request_duration_ms: durationMs,
        ...(ofService ? { hms_requests_failed_by_services: failed } : {}),
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

/** By tenant and service, and over all of them. */
function serviceLines(
  emitAll: (
    directives: readonly Directive[],
    members: Readonly<Record<string, string | number>>,
  ) => void,
): Pick<Metrics, 'serviceCalled' | 'serviceAnswerBroke' | 'servicesSeen'> {
  const services = new KnownServiceLabels(maxServiceLabels);
  const each = ['tenant', 'service'];
  return {
    serviceCalled(tenant, service, outcome, durationMs) {
      const counted = { ...services.of(tenant, service), outcome, hms_service_requests_total: 1 };
      if (service === null) return emitAll([[[each], refusedCallMetrics]], counted);
      emitAll([[[each, []], serviceCallMetrics]], {
        ...counted,
        hms_service_requests_failed: outcome === 'failed' ? 1 : 0,
        hms_service_request_duration_ms: durationMs,
      });
    },
    serviceAnswerBroke(tenant, service) {
      const labels = services.of(tenant, service);
      emitAll([[[each, []], brokenAnswerMetrics]], {
        ...labels,
        hms_service_answers_broken_total: 1,
      });
    },
    servicesSeen(status, count) {
      const own: Directive = [[['status']], seenServiceMetrics];
      // The prober says it each minute: numbers that alarms take off are never missing, and mostly 0.
      const subtrahends = [...failedByServiceMetrics, ...brokenAnswerMetrics];
      emitAll([own, [overall, subtrahends]], {
        status,
        hms_services: count,
        hms_requests_failed_by_services: 0,
        hms_service_answers_broken_total: 0,
      });
    },
  };
}
