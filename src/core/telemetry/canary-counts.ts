import type { Deps } from '../deps.ts';
import { queryRecords } from '../records.ts';
import type { Lane } from '../policies/channel-record.ts';
import type { CanaryEvidence } from '../rollouts/canary/verdict.ts';
import { type AlertRecord, maxFingerprintsPerArm } from './alert-record.ts';
import { readServices } from './read-services.ts';
import { stableMemoryMs } from './report-alert.ts';
import { type ReceiptStatus, stableDecisionsSince } from './service-record.ts';
import { alertsPartition } from './telemetry-keys.ts';

type CanaryCounts = Omit<CanaryEvidence, 'test'>;

/** A run's record keeps them: so many, and so much of each. */
const maxNewAlerts = 100;
const maxNameChars = 120;

/**
 * What services told of a run's canary, which began at `startedAtMs`, over all its lanes: a
 * fingerprint or a service that shows in several counts once. Of each lane at most 20 000
 * services and 1000 fingerprints are looked at; up to 100 new alerts are named.
 *
 * The test's counts are whole periods of single services: alerts count with the decisions during
 * which they were raised. The rest is in `waitingAlerts`.
 */
export async function canaryCounts(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  lanes: readonly Omit<Lane, 'tenant'>[],
  run: number,
  startedAtMs: number,
): Promise<CanaryCounts> {
  const sums = {
    canaryDecisions: 0,
    stableDecisions: 0,
    canaryAlerts: 0,
    stableAlerts: 0,
    waitingAlerts: 0,
  };
  const words = new Map<string, ReceiptStatus>();
  const fresh = new Set<string>();
  for (const { id, channel } of lanes) {
    const lane: Lane = { tenant, id, channel };
    for await (const { service, account } of readServices(deps, lane)) {
      if (account?.run !== run) continue;
      const { canary, stable, candidate } = account;
      sums.canaryDecisions += canary.decisions;
      sums.stableDecisions += stableDecisionsSince(account, startedAtMs);
      sums.canaryAlerts += canary.alerts;
      sums.stableAlerts += stable.alerts;
      sums.waitingAlerts += canary.waiting + stable.waiting;
      // Who refuses one policy of a bundle refuses the bundle.
      if (candidate !== null && words.get(service) !== 'refused') words.set(service, candidate);
    }
    for (const each of await newAlerts(deps, lane, run, startedAtMs)) fresh.add(each);
  }
  const refused = [...words.values()].filter((word) => word === 'refused').length;
  return {
    ...sums,
    newAlerts: [...fresh].toSorted().slice(0, maxNewAlerts),
    acknowledged: words.size - refused,
    refused,
  };
}

/** Fingerprints from the canary that the stable arm has not shown since 24 h before it began. */
async function newAlerts(
  deps: Pick<Deps, 'records'>,
  lane: Lane,
  run: number,
  startedAtMs: number,
): Promise<string[]> {
  const found = await queryRecords<AlertRecord>(deps, {
    partition: alertsPartition(lane),
    until: 'f'.repeat(64),
    limit: 2 * maxFingerprintsPerArm,
  });
  return found
    .filter(({ value: { counts } }) => counts?.run === run && counts.canary > 0)
    .filter(({ value: { stableLastAtMs: last } }) => (last ?? 0) <= startedAtMs - stableMemoryMs)
    .map(({ value: { fingerprint } }) => fingerprint.slice(0, maxNameChars));
}
