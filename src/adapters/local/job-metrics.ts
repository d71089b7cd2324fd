import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Metrics } from '../../ports/metrics.ts';

/** From what is done at once to what has waited for an hour for a free worker. */
const bucketsS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/** What `Metrics` says of jobs, kept in a registry; times are in seconds, as Prometheus has them. */
export function jobMetrics(
  registry: Registry,
): Pick<Metrics, 'jobEnded' | 'jobFailed' | 'jobsOpen'> {
  const registers = [registry];
  const ended = new Counter({
    name: 'hms_jobs_ended_total',
    help: 'Jobs that came to an end.',
    labelNames: ['type', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'hms_job_duration_seconds',
    help: 'From enqueued to ended.',
    labelNames: ['type', 'outcome'],
    buckets: bucketsS,
    registers,
  });
  const failed = new Counter({
    name: 'hms_job_attempts_failed_total',
    help: 'Attempts that failed and will be repeated.',
    labelNames: ['type'],
    registers,
  });
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['type'], registers });
  const waiting = gauge('hms_jobs_waiting', 'Jobs that wait for a worker, or for their time.');
  const running = gauge('hms_jobs_running', 'Jobs that a worker has.');
  const oldestAge = gauge(
    'hms_jobs_oldest_age_seconds',
    'For how long the job could have been started that has waited longest.',
  );
  return {
    jobEnded(type, outcome, durationMs) {
      ended.inc({ type, outcome });
      // A clock that was set back makes no time.
      duration.observe({ type, outcome }, Math.max(0, durationMs / 1000) || 0);
    },
    jobFailed: (type) => failed.inc({ type }),
    jobsOpen(type, waitingJobs, runningJobs, oldestAgeMs) {
      waiting.set({ type }, waitingJobs);
      running.set({ type }, runningJobs);
      oldestAge.set({ type }, oldestAgeMs / 1000);
    },
  };
}
