import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import { getRecord, queryRecords } from '../records.ts';
import type { ChannelRecord, Lane, SnapshotRef } from '../policies/channel-record.ts';
import type { Channel } from '../policies/channel.ts';
import { channelKey, policyPartition, timelinePrefix } from '../policies/policy-keys.ts';
import { resolveRule } from '../policies/resolve-rule.ts';
import type { TimelineEntry } from '../policies/timeline-entry.ts';
import { readServices } from './read-services.ts';
import type { ReceiptStatus, Told } from './service-record.ts';

/** A service that does not run the rule in force. */
export interface Laggard {
  readonly service: string;
  /** What it last told of. */
  readonly snapshot: string;
  readonly status: ReceiptStatus;
  readonly reason: string | null;
  /** RFC 3339, when it told. */
  readonly at: string;
}

/** How far a rule has come. Times are RFC 3339. */
export interface Convergence {
  readonly snapshot: string;
  readonly version: string;
  /** When the rule came into force, this time. */
  readonly since: string;
  /** Services heard of within `activeWithinMs`, but for those on the candidate of a canary. */
  readonly services: number;
  /** Of those, the ones that run the rule, and the ones that refused it. */
  readonly applied: number;
  readonly refused: number;
  /** `applied` of `services`, 0 to 1; null without any. */
  readonly share: number | null;
  /** From `since` until the last of those that applied it said so; null while there is none. */
  readonly convergedAfterMs: number | null;
  /** Those that refused it first, then those not heard of for longest; at most 100. */
  readonly laggards: readonly Laggard[];
  readonly activeWithinMs: number;
  /** Of a canary that is on: the services whose last word was about its candidate. */
  readonly canary: {
    readonly run: number;
    readonly snapshot: string;
    readonly applied: number;
    readonly refused: number;
  } | null;
}

const activeWithinMs = 24 * 3_600_000;
const maxLaggards = 100;
const timelinePage = 100;
const maxTimelinePages = 10;

/**
 * How many services run the rule in force, and since when: at most 20 000 of them are looked at.
 * Errors: `NotFound`, as `not_in_force` while the first rule waits for its time.
 */
export async function readConvergence(
  deps: Pick<Deps, 'records' | 'clock'>,
  tenant: string,
  id: string,
  channel: Channel,
): Promise<Convergence> {
  const lane: Lane = { tenant, id, channel };
  const found = await getRecord(deps, channelKey(tenant, id, channel));
  if (found === undefined) throw new NotFound(`There is no policy "${id}" in ${channel}.`);
  const nowMs = deps.clock.nowMs();
  const rule = resolveRule(found.value, nowMs);
  if (rule === null) throw new NotFound(`No rule is in force in ${channel} yet.`, 'not_in_force');
  const candidate = candidateOf(found.value, nowMs);
  const [sinceMs, words] = await Promise.all([
    inForceSince(deps, lane, rule, nowMs),
    activeWords(deps, lane, nowMs),
  ]);
  const ofCanary = words.filter(({ told }) => told.snapshot === candidate?.snapshot);
  const others = words.filter(({ told }) => told.snapshot !== candidate?.snapshot);
  const applied = others.filter(({ told }) => runs(told, rule));
  const lags = others.filter(({ told }) => !runs(told, rule));
  return {
    snapshot: rule.snapshot,
    version: rule.version,
    since: iso(sinceMs),
    services: others.length,
    applied: applied.length,
    refused: lags.filter(({ told }) => told.snapshot === rule.snapshot).length,
    share: others.length === 0 ? null : applied.length / others.length,
    convergedAfterMs: convergedAfter(applied, sinceMs),
    laggards: lags
      .toSorted((a, b) => rank(a, rule) - rank(b, rule) || a.told.atMs - b.told.atMs)
      .slice(0, maxLaggards)
      .map(laggard),
    activeWithinMs,
    canary: candidate === null ? null : { ...candidate, ...countWords(ofCanary) },
  };
}

/** A service and its last word. */
interface Word {
  readonly service: string;
  readonly told: Told;
}

async function activeWords(
  deps: Pick<Deps, 'records'>,
  lane: Lane,
  nowMs: number,
): Promise<Word[]> {
  const words: Word[] = [];
  for await (const { service, told } of readServices(deps, lane)) {
    if (told !== null && told.atMs > nowMs - activeWithinMs) words.push({ service, told });
  }
  return words;
}

function candidateOf({ canary }: ChannelRecord, nowMs: number) {
  if (canary === undefined || canary.leaseUntilMs <= nowMs) return null;
  return { run: canary.run, snapshot: canary.rule.snapshot };
}

function runs(told: Told, rule: SnapshotRef): boolean {
  return told.status === 'applied' && told.snapshot === rule.snapshot;
}

function countWords(words: readonly Word[]): { applied: number; refused: number } {
  const refused = words.filter(({ told }) => told.status === 'refused').length;
  return { applied: words.length - refused, refused };
}

/** A service may have been ahead of the change: of one that waited for its time, many are. */
function convergedAfter(applied: readonly Word[], sinceMs: number): number | null {
  if (applied.length === 0) return null;
  return applied.reduce(
    (latest, { told }) => Math.max(latest, (told.firstAppliedAtMs ?? sinceMs) - sinceMs),
    0,
  );
}

function rank({ told }: Word, rule: SnapshotRef): number {
  return told.snapshot === rule.snapshot ? 0 : 1;
}

function laggard({ service, told }: Word): Laggard {
  const { snapshot, status, reason, atMs } = told;
  return { service, snapshot, status, reason, at: iso(atMs) };
}

/**
 * Unix ms from which on the rule has been in force without a break: back along the timeline, as
 * long as each state led to it until the next one. After 1000 changes that left it in force, the
 * time of the earliest of those.
 */
async function inForceSince(
  deps: Pick<Deps, 'records'>,
  { tenant, id, channel }: Lane,
  rule: SnapshotRef,
  nowMs: number,
): Promise<number> {
  let untilMs = nowMs;
  let sinceMs = nowMs;
  let after: string | undefined;
  for (let pages = 0; pages < maxTimelinePages; pages++) {
    const found = await queryRecords<TimelineEntry>(deps, {
      partition: policyPartition(tenant, id),
      prefix: timelinePrefix(channel),
      after,
      order: 'desc',
      limit: timelinePage,
    });
    for (const { value } of found) {
      const { next } = value.state;
      const inForce = resolveRule(value.state, untilMs);
      if (inForce?.digest !== rule.digest) return sinceMs;
      untilMs = Date.parse(value.at);
      sinceMs = inForce === next ? Math.max(untilMs, next.effectiveAtMs) : untilMs;
    }
    after = found.at(-1)?.key.sort;
    if (found.length < timelinePage) break;
  }
  return sinceMs;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
