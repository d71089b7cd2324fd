import type { Deps } from '../deps.ts';
import { checkParts, type PartChecks, type PartHealth } from './check-parts.ts';
import { readServices, type ServiceState } from './read-service.ts';
import { type HealthColour, worstOf } from './service-health.ts';

export interface OverallHealth {
  /** The worst of all that follows. */
  readonly status: HealthColour;
  readonly services: readonly ServiceState[];
  readonly parts: Readonly<Record<string, PartHealth>>;
}

const minuteMs = 60_000;
/** Beyond the interval: a prober that is well records each service once a minute. */
const lateMs = { yellow: 3 * minuteMs, red: 10 * minuteMs };

/**
 * How the services of a tenant are, and our own parts: those of `checks`, and `probes`, which is
 * whether what is told of the services is fresh. Ends after some 2 s, and never rejects: services
 * that cannot be read are left out, and `probes` is red.
 */
export async function readHealth(
  deps: Pick<Deps, 'records' | 'clock' | 'log'>,
  checks: PartChecks,
  tenant: string,
): Promise<OverallHealth> {
  let read: readonly ServiceState[] = [];
  const probes = async (): Promise<PartHealth> => {
    read = await readServices(deps, tenant);
    return probesHealth(read, deps.clock.nowMs());
  };
  const parts = await checkParts(deps, { ...checks, probes }, tenant);
  const services = read;
  const all = [...services.map(({ health }) => health), ...Object.values(parts)];
  return { status: worstOf(all.map(({ status }) => status)), services, parts };
}

function probesHealth(services: readonly ServiceState[], nowMs: number): PartHealth {
  let latest: { readonly name: string; readonly overdueMs: number } | undefined;
  for (const { record, health } of services) {
    const { name, health: check } = record.manifest;
    const probedAtMs = Math.max(...health.targets.map((target) => target.probedAtMs));
    const fromMs = Math.max(probedAtMs, Date.parse(record.changedAt));
    const overdueMs = nowMs - fromMs - check.intervalS * 1000;
    if (latest === undefined || overdueMs > latest.overdueMs) latest = { name, overdueMs };
  }
  if (latest === undefined || latest.overdueMs < lateMs.yellow) {
    return { status: 'green', reason: 'every service is probed in time' };
  }
  const status = latest.overdueMs < lateMs.red ? 'yellow' : 'red';
  const overdueS = Math.round(latest.overdueMs / 1000);
  return { status, reason: `the probe of ${latest.name} is overdue by ${overdueS} s` };
}
