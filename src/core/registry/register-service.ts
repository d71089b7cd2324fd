import { Conflict } from '../errors/app-error.ts';
import { commit, type Decision, type Tally } from '../journal/commit.ts';
import type { JournalEntry, Origin } from '../journal/journal-entry.ts';
import { checkManifest } from './check-manifest.ts';
import { judgeService, type Probes } from './judge-health.ts';
import { colourOf, type ProbeDeps, probeTargets, recordProbes } from './probe-service.ts';
import { findService, maxServices, type ServiceState, type StoredService } from './read-service.ts';
import { servicesTally, serviceSubject } from './service-keys.ts';
import { type ServiceManifest, type ServiceRecord, targetsOf } from './service-record.ts';
import { manifestJson, putWrites, readParts } from './service-writes.ts';

export interface PutService extends ServiceState {
  readonly status: 'registered' | 'changed' | 'unchanged';
}

/**
 * Registers a service, or changes it. What is not known to be up is probed first, all of it at
 * once, so that one that is well gets traffic from the first moment. A target whose URL stays keeps
 * what is known of it. Takes as long as the slowest probe.
 * Errors: `InvalidRequest`; `Conflict` beyond 200 services; those of `commit`.
 */
export async function registerService(
  deps: ProbeDeps,
  origin: Origin,
  given: ServiceManifest,
): Promise<PutService> {
  const manifest = checkManifest(given, (url) => deps.probe.refusal(url));
  const ref = { tenant: origin.tenant, name: manifest.name };
  const held = await findService(deps, ref.tenant, ref.name);
  const probes = await probeTargets(deps, manifest, notUp(manifest, held));
  const done = await commit(deps, origin, () => decidePut(deps, origin, manifest, probes));
  if (done.status !== 'unchanged' || probes.size === 0) return done;
  // A service that has come back tells so by itself.
  const health = await recordProbes(deps, ref, probes);
  return { ...done, health: health ?? done.health };
}

function notUp(manifest: ServiceManifest, held: StoredService | undefined): string[] {
  const known = held?.health?.value.targets.filter(({ up }) => up).map(({ url }) => url);
  const up = new Set(known);
  return targetsOf(manifest)
    .map(({ url }) => url)
    .filter((url) => !up.has(url));
}

async function decidePut(
  deps: ProbeDeps,
  { tenant, actor }: Origin,
  manifest: ServiceManifest,
  probes: Probes,
): Promise<Decision<PutService>> {
  const ref = { tenant, name: manifest.name };
  const held = await readParts(deps, ref);
  const before = held.service?.value;
  const nowMs = deps.clock.nowMs();
  if (before !== undefined && isSame(before.manifest, manifest)) {
    const health = judgeService(manifest, held.health?.value, new Map(), nowMs);
    return { kind: 'unchanged', result: { status: 'unchanged', record: before, health } };
  }
  const health = judgeService(manifest, held.health?.value, probes, nowMs);
  const recordAt = ({ at }: JournalEntry): ServiceRecord => ({
    ...before,
    manifest,
    registeredAt: before?.registeredAt ?? at,
    changedAt: at,
    changedBy: actor,
  });
  const isNew = before === undefined;
  return {
    kind: 'change',
    entry: {
      action: isNew ? 'service.registered' : 'service.changed',
      subject: serviceSubject(ref.name),
      before: isNew ? null : { manifest: manifestJson(before.manifest) },
      after: { manifest: manifestJson(manifest), health: colourOf(health) },
      reason: null,
    },
    ...(isNew ? { tally: { [servicesTally]: 1 }, admit: requireRoom } : {}),
    writes: (entry) => putWrites(ref, held, recordAt(entry), health),
    result: (entry) => ({
      status: isNew ? 'registered' : 'changed',
      record: recordAt(entry),
      health,
    }),
  };
}

/** Both in the one form that `checkManifest` gives them. */
function isSame(a: ServiceManifest, b: ServiceManifest): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function requireRoom(counts: Tally): void {
  if ((counts[servicesTally] ?? 0) < maxServices) return;
  throw new Conflict(`There are ${maxServices} services, the most there can be: remove one.`);
}
