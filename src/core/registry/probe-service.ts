import type { HealthProbe } from '../../ports/health-probe.ts';
import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import { judgeService, type Probed, type Probes } from './judge-health.ts';
import { findService, type ServiceState, type StoredService } from './read-service.ts';
import type { ServiceHealth } from './service-health.ts';
import { healthKey, type ServiceRef, serviceSubject } from './service-keys.ts';
import { type ServiceManifest, targetsOf } from './service-record.ts';

export interface ProbeDeps extends Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'log'> {
  readonly probe: HealthProbe;
}

/** Who the journal names for what the service does by itself. */
const prober = 'hms-svc';

/** A service that goes on as it was is recorded so often: a write is paid for, a probe is not. */
const recordEveryMs = 60_000;

/**
 * Probes every target of a service at once, and records what came of it. A change of its colour is
 * journaled as `service.health`. Answers how the service is then; undefined when there is no such
 * service, or `stop` came.
 * One round trip; a write besides only where something changed, and once a minute.
 * Errors: `Unavailable`, `Conflict`; the next probe makes up for it.
 */
export async function probeService(
  deps: ProbeDeps,
  ref: ServiceRef,
  stop?: AbortSignal,
): Promise<ServiceState | undefined> {
  const found = await findService(deps, ref.tenant, ref.name);
  if (found === undefined) return undefined;
  const record = found.service.value;
  const { manifest } = record;
  const urls = targetsOf(manifest).map(({ url }) => url);
  const probes = await probeTargets(deps, manifest, urls, stop);
  if (stop?.aborted === true) return undefined;
  const health = await recordProbes(deps, ref, probes, found);
  return health === undefined ? undefined : { record, health };
}

/** Probes some targets of a service, all of them at once. */
export async function probeTargets(
  deps: Pick<ProbeDeps, 'probe' | 'clock'>,
  { health }: ServiceManifest,
  urls: readonly string[],
  stop?: AbortSignal,
): Promise<Probes> {
  const probed = await Promise.all(
    urls.map(async (url): Promise<readonly [string, Probed]> => {
      const result = await deps.probe.probe(`${url}${health.path}`, health.timeoutMs, stop);
      return [url, { ...result, atMs: deps.clock.nowMs() }];
    }),
  );
  return new Map(probed);
}

/**
 * Records probes, and answers how the service is with them; undefined when there is none. `known`
 * saves a read: what was there before the probes. It may be old by now, which a write finds out.
 */
export async function recordProbes(
  deps: Omit<ProbeDeps, 'probe'>,
  ref: ServiceRef,
  probes: Probes,
  known?: StoredService,
): Promise<ServiceHealth | undefined> {
  const found = known ?? (await findService(deps, ref.tenant, ref.name));
  if (found === undefined) return undefined;
  const { before, after } = judgedBy(found, probes, deps.clock.nowMs());
  if (before.status !== after.status) return recordColour(deps, ref, probes);
  if (!isNews(before, after)) return after;
  const write = healthWrite(ref, found, after);
  const done = await deps.records.commit([write], deps.ids.next());
  // Somebody else has recorded a probe, or changed the service, since.
  return done === 'committed' ? after : recordAgain(deps, ref, probes, known !== undefined);
}

async function recordAgain(
  deps: Omit<ProbeDeps, 'probe'>,
  ref: ServiceRef,
  probes: Probes,
  isFirst: boolean,
): Promise<ServiceHealth | undefined> {
  if (isFirst) return recordProbes(deps, ref, probes);
  const found = await findService(deps, ref.tenant, ref.name);
  return found === undefined ? undefined : judgedBy(found, new Map(), deps.clock.nowMs()).after;
}

interface Judged {
  readonly before: ServiceHealth;
  readonly after: ServiceHealth;
}

function judgedBy({ service, health }: StoredService, probes: Probes, nowMs: number): Judged {
  const { manifest } = service.value;
  const before = judgeService(manifest, health?.value, new Map(), nowMs);
  return { before, after: judgeService(manifest, before, probes, nowMs) };
}

function healthWrite(
  ref: ServiceRef,
  { health }: StoredService,
  value: ServiceHealth,
): RecordWrite {
  const key = healthKey(ref.tenant, ref.name);
  return { kind: 'put', key, value, expect: health?.rev ?? 'absent' };
}

/** Whether anything but the times of the probes changed, or those are old. */
function isNews(before: ServiceHealth, after: ServiceHealth): boolean {
  if (toldOf(before) !== toldOf(after)) return true;
  return after.targets.some(({ probedAtMs }, place) => {
    const recordedAtMs = before.targets[place]?.probedAtMs ?? 0;
    return probedAtMs - recordedAtMs >= recordEveryMs;
  });
}

function toldOf(health: ServiceHealth): string {
  const targets = health.targets.map(({ probedAtMs: _, tookMs: __, ...told }) => told);
  return JSON.stringify({ ...health, targets });
}

async function recordColour(
  deps: Omit<ProbeDeps, 'probe'>,
  ref: ServiceRef,
  probes: Probes,
): Promise<ServiceHealth | undefined> {
  const { tenant, name } = ref;
  const origin = { tenant, actor: prober, requestId: deps.ids.next() };
  const done = await commit(deps, origin, () => decideColour(deps, ref, probes));
  if (done !== undefined && done.before !== done.after) {
    const { status, reason } = done.after;
    deps.log.info('service health', { tenant, service: name, status, reason });
  }
  return done?.after;
}

async function decideColour(
  deps: Omit<ProbeDeps, 'probe'>,
  ref: ServiceRef,
  probes: Probes,
): Promise<Decision<Judged | undefined>> {
  const found = await findService(deps, ref.tenant, ref.name);
  if (found === undefined) return { kind: 'unchanged', result: undefined };
  const { before, after } = judgedBy(found, probes, deps.clock.nowMs());
  // Somebody else was faster.
  if (before.status === after.status) {
    return { kind: 'unchanged', result: { before: after, after } };
  }
  return {
    kind: 'change',
    entry: {
      action: 'service.health',
      subject: serviceSubject(ref.name),
      before: colourOf(before),
      after: colourOf(after),
      reason: null,
    },
    writes: () => [healthWrite(ref, found, after)],
    result: () => ({ before, after }),
  };
}

/** What the journal has of the health of a service. */
export function colourOf({ status, reason, sinceMs, targets }: ServiceHealth) {
  const up = targets.filter((target) => target.up).length;
  const since = new Date(sinceMs).toISOString();
  return { status, reason, since, targets: targets.length, up };
}
