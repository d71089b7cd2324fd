import type { OverallHealth } from '../core/registry/read-health.ts';
import type { ServiceState } from '../core/registry/read-service.ts';
import type { ServiceHealth, TargetHealth } from '../core/registry/service-health.ts';
import { targetsOf } from '../core/registry/service-record.ts';

export function serviceView({ record, health }: ServiceState) {
  const { manifest, registeredAt, changedAt, changedBy } = record;
  const roles = new Map(targetsOf(manifest).map(({ url, role }) => [url, role]));
  const targets = health.targets.map((target) => ({
    url: target.url,
    role: roles.get(target.url) ?? 'primary',
    ...targetView(target),
  }));
  return {
    name: manifest.name,
    manifest,
    health: { ...colourView(health), targets },
    registeredAt,
    changedAt,
    changedBy,
  };
}

function targetView({ up, sinceMs, reason, probedAtMs, tookMs }: TargetHealth) {
  return {
    up,
    since: iso(sinceMs),
    reason,
    probedAt: probedAtMs === 0 ? null : iso(probedAtMs),
    tookMs,
  };
}

function colourView({ status, reason, sinceMs }: ServiceHealth) {
  return { status, reason, since: iso(sinceMs) };
}

export function healthView({ status, services, parts }: OverallHealth) {
  const byName = services.map(
    ({ record, health }) => [record.manifest.name, colourView(health)] as const,
  );
  return { status, services: Object.fromEntries(byName), parts };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
