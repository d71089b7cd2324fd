import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metrics } from '../../ports/metrics.ts';
import { jobMetrics } from './job-metrics.ts';
import { RequestTally } from './request-tally.ts';
import { serviceMetrics } from './service-metrics.ts';

export interface PrometheusMetrics extends Metrics {
  /** Everything, in the Prometheus text format 0.0.4. */
  text(): Promise<string>;
  /** Of `text()`, for the header. */
  readonly contentType: string;
}

/**
 * Metrics for a scrape, with those of the process (CPU, memory, event loop, GC) beside ours.
 * Without `processMetrics`, nothing is observed in the background.
 */
export function prometheusMetrics(options: {
  readonly processMetrics: boolean;
}): PrometheusMetrics {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const relayed = new Counter({
    name: 'hms_events_relayed_total',
    help: 'Events handed to the bus.',
    registers: [registry],
  });
  const runs = new Gauge({
    name: 'hms_runs_open',
    help: 'Rollouts that have not ended.',
    registers: [registry],
  });
  const requests = new RequestTally();
  return {
    requestDone: (operation, status, durationMs, ofService = false) =>
      requests.add(operation, status, durationMs, ofService),
    eventsRelayed: (count) => relayed.inc(count),
    runsOpen: (count) => runs.set(count),
    ...jobMetrics(registry),
    ...serviceMetrics(registry),
    text: async () => requests.text() + (await registry.metrics()),
    contentType: registry.contentType,
  };
}
