import type { StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors/app-error.ts';
import { getRecords } from '../records.ts';
import type { Channel } from '../policies/channel.ts';
import type { ChannelRecord, Lane } from '../policies/channel-record.ts';
import { channelKey, snapshotKey } from '../policies/policy-keys.ts';
import type { Arm } from './alert-record.ts';
import { armOf, type Sorted } from './arm-of.ts';
import { keepMeasurement, type Measurement } from './keep-measurement.ts';
import { knownLane } from './known-lane.ts';
import { type Reporter, serviceLivesMs } from './report-alert.ts';
import {
  accountFor,
  type ReceiptStatus,
  type ServiceRecord,
  type Told,
  withDecisions,
} from './service-record.ts';
import { serviceKey } from './telemetry-keys.ts';

export interface Receipt {
  readonly policy: string;
  readonly channel: Channel;
  readonly snapshot: string;
  /** `applied`: the service runs it now. `refused`: it cannot, and `reason` says why. */
  readonly status: ReceiptStatus;
  readonly reason?: string | undefined;
  /** Decisions made under this snapshot since the last report of them. A whole number. */
  readonly decisions?: number | undefined;
}

/** What became of one receipt. `repeated`: a report of this id has been taken in before. */
export type ReceiptAnswer =
  | {
      readonly status: 'recorded' | 'repeated';
      readonly arm: Arm | null;
      readonly run: number | null;
    }
  | { readonly status: 'failed'; readonly error: AppError };

const maxReasonChars = 1000;
const lanesAtOnce = 10;
/** The same word again is not written down for so long. */
const sameWordMs = 60_000;

/**
 * Takes in what a service says of the snapshots it runs: 1 to 100 receipts, each answered in its
 * place. What is about one policy and channel is taken in together, in order; the service then
 * stands on the last. Who decides for both arms of a canary names both in one call, the rule of
 * everyone last.
 *
 * Decisions add up, so that a report whose answer was lost counts twice when it is sent again,
 * unless it has a `reportId`: the last one of each policy and channel is kept, and the same again
 * changes nothing there. Send a report again before the next one.
 *
 * A service may be many processes: what has just been said, without decisions, costs no write.
 */
export async function reportReceipts(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  reporter: Reporter,
  receipts: readonly Receipt[],
  reportId: string | null,
): Promise<ReceiptAnswer[]> {
  const groups = [
    ...Map.groupBy(receipts, ({ policy, channel }) => `${channel}#${policy}`).values(),
  ];
  const answers = new Map<Receipt, ReceiptAnswer>();
  for (let first = 0; first < groups.length; first += lanesAtOnce) {
    const some = groups.slice(first, first + lanesAtOnce);
    const told = await Promise.all(some.map((about) => tellLane(deps, reporter, about, reportId)));
    for (const [receipt, answer] of told.flat()) answers.set(receipt, answer);
  }
  return receipts.flatMap((receipt) => answers.get(receipt) ?? []);
}

type Answered = readonly (readonly [Receipt, ReceiptAnswer])[];

/** Receipts about one lane. */
async function tellLane(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  { tenant, subject }: Reporter,
  receipts: readonly Receipt[],
  reportId: string | null,
): Promise<Answered> {
  const [first] = receipts;
  if (first === undefined) return [];
  const lane: Lane = { tenant, id: first.policy, channel: first.channel };
  try {
    return await keepMeasurement(deps, async (commitId) => {
      const found = await readService(deps, lane, subject, receipts);
      return takeIn(found, receipts, { reportId, commitId });
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return receipts.map((receipt) => [receipt, { status: 'failed', error }]);
  }
}

/** What taking in receipts rests on. */
interface Found {
  readonly lane: Lane;
  readonly service: string;
  readonly state: ChannelRecord | undefined;
  readonly kept: StoredRecord<ServiceRecord> | undefined;
  /** Of those named, the snapshots that the policy has. */
  readonly known: ReadonlyMap<string, unknown>;
  readonly nowMs: number;
}

async function readService(
  deps: Pick<Deps, 'records' | 'clock'>,
  lane: Lane,
  service: string,
  receipts: readonly Receipt[],
): Promise<Found> {
  const { tenant, id, channel } = lane;
  const names = [...new Set(receipts.map(({ snapshot }) => snapshot))];
  const [[state, kept], snapshots] = await Promise.all([
    getRecords(deps, [channelKey(tenant, id, channel), serviceKey(lane, service)]),
    getRecords(
      deps,
      names.map((name) => snapshotKey(tenant, id, name)),
    ),
  ]);
  const known = new Map(names.map((name, i) => [name, snapshots[i]]));
  return { lane, service, state: state?.value, kept, known, nowMs: deps.clock.nowMs() };
}

function takeIn(
  found: Found,
  receipts: readonly Receipt[],
  ids: Pick<ServiceRecord, 'reportId' | 'commitId'>,
): Measurement<Answered> {
  const { lane, service, kept, nowMs } = found;
  const repeated = ids.reportId !== null && kept?.value.reportId === ids.reportId;
  let now: Omit<ServiceRecord, 'commitId'> = kept?.value ?? newService(service);
  const result = receipts.map((receipt): Answered[number] => {
    const sorted = sortReceipt(found, receipt);
    if (sorted instanceof AppError) return [receipt, { status: 'failed', error: sorted }];
    if (repeated) return [receipt, { status: 'repeated', ...sorted }];
    now = take(now, receipt, sorted, kept?.value, nowMs);
    return [receipt, { status: 'recorded', ...sorted }];
  });
  const mark = serviceKey(lane, service);
  const isNews = result.some(([, { status }]) => status === 'recorded') && !isSaid(found, now);
  if (!isNews) return { writes: [], mark, result };
  const value: ServiceRecord = { ...now, ...ids, reportId: ids.reportId ?? now.reportId };
  const expect = kept?.rev ?? 'absent';
  const expiresAtMs = nowMs + serviceLivesMs;
  return { writes: [{ kind: 'put', key: mark, value, expect, expiresAtMs }], mark, result };
}

function newService(service: string): Omit<ServiceRecord, 'commitId'> {
  return { service, told: null, decisionsToldAtMs: null, account: null, reportId: null };
}

function sortReceipt({ lane, state, known, nowMs }: Found, { snapshot }: Receipt) {
  try {
    return armOf(knownLane(lane, state, snapshot, known.get(snapshot)), snapshot, nowMs);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function take(
  now: Omit<ServiceRecord, 'commitId'>,
  receipt: Receipt,
  { arm, run }: Sorted,
  kept: ServiceRecord | undefined,
  nowMs: number,
): Omit<ServiceRecord, 'commitId'> {
  const { status, decisions } = receipt;
  const told = wordOf(receipt, kept?.told ?? null, nowMs);
  const decisionsToldAtMs = decisions === undefined ? now.decisionsToldAtMs : nowMs;
  if (run === null || arm === null) return { ...now, told, decisionsToldAtMs };
  let account = accountFor(now.account, run);
  if (arm === 'canary' && account.candidate !== status) {
    account = { ...account, candidate: status };
  }
  if (decisions !== undefined) {
    const fromMs = kept?.decisionsToldAtMs ?? null;
    account = withDecisions(account, arm, { decisions, fromMs, atMs: nowMs });
  }
  return { ...now, told, decisionsToldAtMs, account };
}

/** All of it was told just before: by one process of many, of which each says the same. */
function isSaid({ kept, nowMs }: Found, now: Omit<ServiceRecord, 'commitId'>): boolean {
  const { told: before = null, account, decisionsToldAtMs } = kept?.value ?? {};
  const { told } = now;
  if (before === null || told === null || nowMs - before.atMs > sameWordMs) return false;
  return (
    told.snapshot === before.snapshot &&
    told.status === before.status &&
    told.reason === before.reason &&
    now.account === account &&
    now.decisionsToldAtMs === decisionsToldAtMs
  );
}

/** The same word again keeps its time: `before` is what the service stood on until this call. */
function wordOf({ snapshot, status, reason }: Receipt, before: Told | null, nowMs: number): Told {
  const same = before?.snapshot === snapshot && before.status === status;
  const since = same ? before.firstAppliedAtMs : nowMs;
  return {
    snapshot,
    status,
    reason: reason?.slice(0, maxReasonChars) ?? null,
    firstAppliedAtMs: status === 'applied' ? since : null,
    atMs: nowMs,
  };
}
