import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import type {
  ChannelRecord,
  Lane,
  PlacedRule,
  RuleRef,
  SnapshotRef,
  StoredBody,
  Waiting,
} from './channel-record.ts';
import type { Reader } from './canary.ts';
import { placeBody } from './place-body.ts';
import { getRecord, queryRecords } from '../records.ts';
import { bodyKey, channelKey, policyPartition, timelinePrefix } from './policy-keys.ts';
import { resolveFor, resolveRule } from './resolve-rule.ts';
import type { TimelineEntry } from './timeline-entry.ts';

/** The rule in force for a reader, and the one that will be. */
export interface RuleInForce {
  readonly rule: PlacedRule;
  readonly next: Waiting<RuleRef> | null;
  /** The run whose candidate the rule is; null for the rule of everyone. */
  readonly canaryRun: number | null;
  /** A candidate that the reader is to evaluate beside the rule. */
  readonly shadow: RuleRef | null;
}

/**
 * The rule in force now for a reader, or, for null, for everyone. One record read, and no other call.
 * Errors: `NotFound`, as `not_in_force` while the first rule waits for its time.
 */
export async function readRule(
  deps: Pick<Deps, 'records' | 'clock'>,
  lane: Lane,
  reader: Reader | null,
): Promise<RuleInForce> {
  const key = channelKey(lane.tenant, lane.id, lane.channel);
  const found = await getRecord(deps, key, { consistency: 'eventual' });
  if (found === undefined) throw unknownPolicy(lane);
  const inForce = ruleInForce(found.value, reader, deps.clock.nowMs());
  if (inForce === null) throw notInForce(lane, found.value.next);
  return inForce;
}

/** What a reader of the record is given at a time; null before the first rule. */
export function ruleInForce(
  record: ChannelRecord,
  reader: Reader | null,
  nowMs: number,
): RuleInForce | null {
  const { rule, canaryRun, shadow } = resolveFor(record, reader, nowMs);
  if (rule === null) return null;
  const { next } = record;
  const waits = next !== null && next.effectiveAtMs > nowMs;
  return { rule, next: waits ? next : null, canaryRun, shadow };
}

/**
 * The rule that was, or will be, in force at `atMs`, by what was decided until `knownMs`: the one
 * for everyone. Who was in a canary's audience got its candidate; the timeline names both.
 * Two record reads, whatever the length of the history.
 */
export async function readRuleAt(
  deps: Pick<Deps, 'records'>,
  lane: Lane,
  atMs: number,
  knownMs: number,
): Promise<RuleInForce> {
  const { tenant, id, channel } = lane;
  const prefix = timelinePrefix(channel);
  const latest = new Date(Math.min(atMs, knownMs)).toISOString();
  const [found] = await queryRecords<TimelineEntry>(deps, {
    partition: policyPartition(tenant, id),
    prefix,
    // `~` sorts after every `#index`: what happened in that millisecond counts.
    after: `${prefix}${latest}~`,
    order: 'desc',
    limit: 1,
  });
  if (found === undefined)
    throw new NotFound(`No rule was in force in ${channel} then.`, 'not_in_force');
  const { state } = found.value;
  const ref = resolveRule(state, atMs);
  if (ref === null) throw notInForce(lane, state.next);
  const rule = await placeSnapshot(deps, tenant, id, ref);
  return { rule, next: null, canaryRun: null, shadow: null };
}

/** A snapshot of the policy, with its body at hand. */
export async function placeSnapshot(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  ref: SnapshotRef,
): Promise<Required<PlacedRule>> {
  const found = await getRecord(deps, bodyKey(tenant, id, ref.snapshot));
  if (found === undefined) throw new Error(`The body of ${id} ${ref.snapshot} is missing.`);
  return placeBody(ref, found.value);
}

/** The JSON of a rule: from the record, or, when it is large, from the blob store. */
export async function readBody(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  body: StoredBody,
): Promise<string> {
  if ('json' in body) return body.json;
  const bytes = await deps.blobs.get({ tenant, digest: body.digest });
  if (bytes === undefined)
    throw new Error(`The body ${body.digest} is missing from the blob store.`);
  return new TextDecoder().decode(bytes);
}

function unknownPolicy({ id, channel }: Lane): NotFound {
  return new NotFound(`There is no policy "${id}" in ${channel}.`);
}

function notInForce({ channel }: Lane, next: Waiting<RuleRef> | null): NotFound {
  const when = next === null ? '' : ` ${next.snapshot} takes effect at ${iso(next.effectiveAtMs)}.`;
  return new NotFound(`No rule is in force in ${channel} at that time.${when}`, 'not_in_force');
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
