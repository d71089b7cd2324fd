import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { getRecords, queryRecords } from '../records.ts';
import type { Channel } from '../policies/channel.ts';
import type { Lane } from '../policies/channel-record.ts';
import { channelKey, snapshotKey } from '../policies/policy-keys.ts';
import {
  type AlertRecord,
  type AlertSeverity,
  type AlertTally,
  type Arm,
  countAlert,
  maxFingerprintsPerArm,
} from './alert-record.ts';
import { armOf, type Sorted } from './arm-of.ts';
import { keepMeasurement, type Measurement } from './keep-measurement.ts';
import { knownLane } from './known-lane.ts';
import { accountFor, type ServiceRecord, withWaitingAlert } from './service-record.ts';
import { alertKey, alertsPartition, alertTallyKey, serviceKey } from './telemetry-keys.ts';

export interface Reporter {
  readonly tenant: string;
  /** The service that runs the rule. */
  readonly subject: string;
}

export interface Alert {
  readonly policy: string;
  readonly channel: Channel;
  /** What the service ran when it raised it. */
  readonly snapshot: string;
  /** The same for what is the same trouble, whoever has it. */
  readonly fingerprint: string;
  readonly severity: AlertSeverity;
  readonly message: string;
}

export interface CountedAlert {
  readonly arm: Arm;
  /** The run that it counts for; null for none. */
  readonly run: number | null;
  /** From the canary, and not seen on the stable arm in the last 24 h. */
  readonly new: boolean;
}

export const alertLivesMs = 48 * 3_600_000;
export const serviceLivesMs = 7 * 24 * 3_600_000;
export const stableMemoryMs = 24 * 3_600_000;
const recountAfterMs = 60_000;
const maxTextChars = { fingerprint: 256, message: 1000 } as const;

/**
 * Counts an alert for the arm whose rule raised it, in the record of its fingerprint, which lives
 * until 48 h after the last one. With a canary on, it waits in the service's account, and counts
 * for the sequential test together with the decisions that the service tells next: alerts at once
 * beside decisions told later would look like too many. A monitor that raises alerts for services
 * names the service as its subject.
 *
 * A repeat counts again: nothing tells it from a second alert.
 * Errors: `NotFound` for a policy that the channel does not have, or a snapshot that the policy
 * does not have; `Unavailable`, as of `keepMeasurement`.
 */
export async function reportAlert(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  reporter: Reporter,
  alert: Alert,
): Promise<CountedAlert> {
  const lane: Lane = { tenant: reporter.tenant, id: alert.policy, channel: alert.channel };
  return keepMeasurement(deps, async (commitId) => {
    const found = await readAlert(deps, lane, reporter, alert);
    return count(deps, found, commitId);
  });
}

/** What counting an alert rests on. */
interface Found {
  readonly lane: Lane;
  readonly service: string;
  readonly alert: Alert;
  readonly sorted: Sorted;
  readonly known: StoredRecord<AlertRecord> | undefined;
  readonly tally: StoredRecord<AlertTally> | undefined;
  readonly account: StoredRecord<ServiceRecord> | undefined;
  readonly nowMs: number;
}

/** One round trip. */
async function readAlert(
  deps: Pick<Deps, 'records' | 'clock'>,
  lane: Lane,
  { subject: service }: Reporter,
  alert: Alert,
): Promise<Found> {
  const { tenant, id, channel } = lane;
  const [state, snapshot, known, tally, account] = await getRecords(deps, [
    channelKey(tenant, id, channel),
    snapshotKey(tenant, id, alert.snapshot),
    alertKey(lane, alert.fingerprint),
    alertTallyKey(lane),
    serviceKey(lane, service),
  ]);
  const nowMs = deps.clock.nowMs();
  const record = knownLane(lane, state?.value, alert.snapshot, snapshot?.value);
  const sorted = armOf(record, alert.snapshot, nowMs);
  return { lane, service, alert, sorted, known, tally, account, nowMs };
}

async function count(
  deps: Pick<Deps, 'records'>,
  found: Found,
  commitId: string,
): Promise<Measurement<CountedAlert>> {
  const { lane, alert, sorted, known, nowMs } = found;
  const { run } = sorted;
  const arm = sorted.arm ?? 'stable';
  const stableLastAtMs = known?.value.stableLastAtMs ?? null;
  const seen = stableLastAtMs !== null && stableLastAtMs > nowMs - stableMemoryMs;
  const result = { arm, run, new: arm === 'canary' && !seen };
  const waiting = accountWrites(found, arm, commitId);
  if (known !== undefined) {
    const mark = alertKey(lane, alert.fingerprint);
    return { writes: [alertWrite(found, arm, commitId), ...waiting], mark, result };
  }
  const tally = await tallyWithRoom(deps, found, arm);
  const full = tally[arm] >= maxFingerprintsPerArm;
  const next: AlertTally = full
    ? { ...tally, beyond: countAlert(tally.beyond, run, arm), commitId }
    : { ...tally, [arm]: tally[arm] + 1, commitId };
  const mark = alertTallyKey(lane);
  const counted = put(mark, next, found.tally);
  const kept = full ? [] : [alertWrite(found, arm, commitId)];
  return { writes: [counted, ...kept, ...waiting], mark, result };
}

function alertWrite(found: Found, arm: Arm, commitId: string): RecordWrite {
  const { lane, alert, sorted, known, nowMs } = found;
  const value: AlertRecord = {
    fingerprint: alert.fingerprint.slice(0, maxTextChars.fingerprint),
    severity: alert.severity,
    message: alert.message.slice(0, maxTextChars.message),
    countedFor: known?.value.countedFor ?? arm,
    counts: countAlert(known?.value.counts ?? null, sorted.run, arm),
    stableLastAtMs: sorted.arm === 'stable' ? nowMs : (known?.value.stableLastAtMs ?? null),
    lastAtMs: nowMs,
    commitId,
  };
  return put(alertKey(lane, alert.fingerprint), value, known, nowMs + alertLivesMs);
}

/** With a canary on, the alert waits for the decisions that the service tells next. */
function accountWrites(found: Found, arm: Arm, commitId: string): RecordWrite[] {
  const { lane, service, sorted, account: kept, nowMs } = found;
  if (sorted.run === null) return [];
  const now = kept?.value ?? { service, told: null, decisionsToldAtMs: null, reportId: null };
  const account = withWaitingAlert(accountFor(kept?.value.account ?? null, sorted.run), arm);
  const value: ServiceRecord = { ...now, account, commitId };
  return [put(serviceKey(lane, service), value, kept, nowMs + serviceLivesMs)];
}

/** The tally; when it says that there is no room, counted anew, once a minute at most. */
async function tallyWithRoom(
  deps: Pick<Deps, 'records'>,
  { lane, tally, nowMs }: Found,
  arm: Arm,
): Promise<Omit<AlertTally, 'commitId'>> {
  if (tally === undefined) return { canary: 0, stable: 0, recountedAtMs: nowMs, beyond: null };
  const { value } = tally;
  if (value[arm] < maxFingerprintsPerArm) return value;
  if (nowMs - value.recountedAtMs < recountAfterMs) return value;
  const kept = await queryRecords<AlertRecord>(deps, {
    partition: alertsPartition(lane),
    until: 'f'.repeat(64),
    limit: 2 * maxFingerprintsPerArm,
  });
  const canary = kept.filter((record) => record.value.countedFor === 'canary').length;
  return { ...value, canary, stable: kept.length - canary, recountedAtMs: nowMs };
}

function put(
  key: RecordWrite['key'],
  value: unknown,
  read: StoredRecord<unknown> | undefined,
  expiresAtMs?: number,
): RecordWrite {
  const lasts = expiresAtMs === undefined ? {} : { expiresAtMs };
  return { kind: 'put', key, value, expect: read?.rev ?? 'absent', ...lasts };
}
