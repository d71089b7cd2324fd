import type { ProbeResult } from '../../ports/health-probe.ts';
import type { HealthColour, ServiceHealth, TargetHealth } from './service-health.ts';
import {
  type HealthCheck,
  type ServiceManifest,
  type ServiceTarget,
  targetsOf,
} from './service-record.ts';

/** A probe, and when its result was there. */
export interface Probed extends ProbeResult {
  readonly atMs: number;
}

/** Probes of several targets, by their URLs. */
export type Probes = ReadonlyMap<string, Probed>;

type Thresholds = Pick<HealthCheck, 'rise' | 'fall'>;

/** Closer than that, two probes are one: two probers that overlap do not count a failure twice. */
const sameProbeMs = 1000;

/**
 * How a target is after one more probe. It changes sides when `rise` probes in a row have passed,
 * or `fall` have failed; one that has never been up, with the first that passes.
 */
export function judgeTarget(
  before: TargetHealth,
  { ok, detail, tookMs, atMs }: Probed,
  { rise, fall }: Thresholds,
): TargetHealth {
  if (Math.abs(atMs - before.probedAtMs) < sameProbeMs) return before;
  const after = { ...before, reason: detail, probedAtMs: atMs, tookMs };
  if (ok === before.up) return { ...after, against: 0 };
  const against = before.against + 1;
  const needed = before.up ? fall : before.proven ? rise : 1;
  if (against < needed) return { ...after, against };
  return { ...after, up: ok, sinceMs: atMs, against: 0, proven: before.proven || ok };
}

/**
 * How a service is after these probes. Targets that `before` does not know begin as down; those
 * that the manifest does not name any more are dropped. Without probes: the same for what the
 * manifest names now.
 */
export function judgeService(
  manifest: ServiceManifest,
  before: ServiceHealth | undefined,
  probes: Probes,
  nowMs: number,
): ServiceHealth {
  const known = new Map(before?.targets.map((target) => [target.url, target]));
  const named = targetsOf(manifest);
  const targets = named.map(({ url }) => {
    const target = known.get(url) ?? unprobed(url, nowMs);
    const probed = probes.get(url);
    return probed === undefined ? target : judgeTarget(target, probed, manifest.health);
  });
  const { status, reason } = verdictOf(named, targets, manifest.health);
  const sinceMs = before?.status === status ? before.sinceMs : nowMs;
  return { status, reason, sinceMs, targets };
}

function unprobed(url: string, nowMs: number): TargetHealth {
  return {
    url,
    up: false,
    sinceMs: nowMs,
    reason: 'not probed yet',
    against: 0,
    probedAtMs: 0,
    tookMs: null,
    proven: false,
  };
}

interface Verdict {
  readonly status: HealthColour;
  readonly reason: string;
}

/** Of targets, and how each of them is, in the same order. */
function verdictOf(
  named: readonly ServiceTarget[],
  targets: readonly TargetHealth[],
  check: Thresholds,
): Verdict {
  const [first] = targets;
  if (first === undefined) throw new Error('a service has a target');
  const isOne = targets.length === 1;
  const down = targets.find(({ up }) => !up);
  if (down !== undefined) {
    const why = toldOf(down, check);
    const isUp = targets.some(({ up }) => up);
    if (isUp) return { status: 'yellow', reason: `${whichAreDown(named, targets)}: ${why}` };
    return { status: 'red', reason: isOne ? why : `none of ${targets.length} is up: ${why}` };
  }
  const failing = targets.find(({ against }) => against > 0);
  if (failing !== undefined) return { status: 'yellow', reason: toldOf(failing, check) };
  return { status: 'green', reason: isOne ? first.reason : `all ${targets.length} are up` };
}

/** Some of them are. */
function whichAreDown(named: readonly ServiceTarget[], targets: readonly TargetHealth[]): string {
  const primary = targets.filter((_, place) => named[place]?.role === 'primary');
  const down = primary.filter(({ up }) => !up).length;
  if (down === primary.length) return 'only the secondary is up';
  if (down === 0) return 'the secondary is down';
  return `${down} of ${primary.length} ${down === 1 ? 'is' : 'are'} down`;
}

function toldOf({ up, reason, against }: TargetHealth, { rise, fall }: Thresholds): string {
  if (against === 0) return reason;
  return `${reason}, ${against} of ${up ? fall : rise} in a row`;
}
