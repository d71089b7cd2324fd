import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Metrics } from '../../ports/metrics.ts';
import { KnownServiceLabels, maxServiceLabels } from '../runtime/service-labels.ts';

/** Up to the longest that a manifest may let a call take. */
const bucketsS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];

/** What `Metrics` says of services, kept in a registry; times are in seconds, as Prometheus has them. */
export function serviceMetrics(
  registry: Registry,
): Pick<Metrics, 'serviceCalled' | 'serviceAnswerBroke' | 'servicesSeen'> {
  const registers = [registry];
  const labels = new KnownServiceLabels(maxServiceLabels);
  const called = new Counter({
    name: 'hms_service_requests_total',
    help: 'Calls of services through the gateway.',
    labelNames: ['tenant', 'service', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'hms_service_request_duration_seconds',
    help: 'From the call to the head of its answer, all tries included; of those that a service was asked.',
    labelNames: ['tenant', 'service'],
    buckets: bucketsS,
    registers,
  });
  const broken = new Counter({
    name: 'hms_service_answers_broken_total',
    help: 'Answers of services that broke off after their head.',
    labelNames: ['tenant', 'service'],
    registers,
  });
  const services = new Gauge({
    name: 'hms_services',
    help: 'Services that are green, yellow or red.',
    labelNames: ['status'],
    registers,
  });
  return {
    serviceCalled(tenant, service, outcome, durationMs) {
      const known = labels.of(tenant, service);
      called.inc({ ...known, outcome });
      // A clock that was set back makes no time.
      if (service !== null) duration.observe({ ...known }, Math.max(0, durationMs / 1000) || 0);
    },
    serviceAnswerBroke: (tenant, service) => broken.inc({ ...labels.of(tenant, service) }),
    servicesSeen: (status, count) => services.set({ status }, count),
  };
}
