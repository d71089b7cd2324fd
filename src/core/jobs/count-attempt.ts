import type { Deps } from '../deps.ts';
import type { JobRecord } from './job-record.ts';

/** Tells metrics of an attempt that has ended, by what has become of its job. */
export function countAttempt(
  { metrics, clock }: Pick<Deps, 'metrics' | 'clock'>,
  { status, createdAt }: Pick<JobRecord, 'status' | 'createdAt'>,
  metricType: string,
): void {
  if (status === 'completed' || status === 'rejected' || status === 'dead') {
    // The journal's time may be ahead of a clock that stepped back.
    const tookMs = Math.max(0, clock.nowMs() - Date.parse(createdAt));
    metrics.jobEnded(metricType, status, tookMs);
  } else metrics.jobFailed(metricType);
}
