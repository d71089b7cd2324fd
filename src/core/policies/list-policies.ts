import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import type { Canary, Reader } from './canary.ts';
import type { Channel } from './channel.ts';
import type { RuleRef, Waiting } from './channel-record.ts';
import { channelHeadKey, summariesPartition } from './policy-keys.ts';
import { getRecord, queryRecords } from '../records.ts';
import type { ChannelHead, PolicySummary } from './policy-summary.ts';
import { inAudience } from './in-audience.ts';
import { resolveFor, resolveRule } from './resolve-rule.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the page after this one; null at the end. */
  readonly next: string | null;
}

/** A policy in a channel, at one moment. */
export interface PolicyInChannel {
  readonly id: string;
  readonly gen: number;
  /** Null while the first rule waits. */
  readonly inForce: RuleRef | null;
  readonly next: Waiting<RuleRef> | null;
  /** The candidate that some readers get, as long as its lease lasts. */
  readonly canary: Canary | null;
  /** Set when `inForce` is that candidate. */
  readonly served: ServedCanary | null;
}

/** Whose candidate a reader is given, and what everyone else has: what it goes back to. */
export interface ServedCanary {
  readonly run: number;
  readonly stable: RuleRef | null;
}

type ListDeps = Pick<Deps, 'records' | 'clock'>;

/** Policies of a tenant in the order of their ids, after `cursor` (an id). */
export async function listPolicies(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<PolicySummary>> {
  const found = await queryRecords<PolicySummary>(deps, {
    partition: summariesPartition(tenant),
    after: cursor,
    limit,
  });
  const items = found.map((record) => record.value);
  return { items, next: items.length < limit ? null : (items.at(-1)?.id ?? null) };
}

const scanPage = 1000;

/** How often a list is begun anew because the channel changed while it was read. */
const maxReads = 5;

/**
 * The policies that have a rule in a channel, as one reader, or, for null, everyone gets them, up
 * to `limit`, after `cursor` (an id). All of one moment: a release of several policies is seen
 * whole or not at all. `tag` is that moment's `manifestTag`.
 * Errors: `Unavailable` when the channel changes faster than it can be read.
 */
export async function listChannel(
  deps: ListDeps,
  tenant: string,
  channel: Channel,
  reader: Reader | null,
  cursor: string | undefined,
  limit: number,
): Promise<Page<PolicyInChannel> & { readonly tag: string }> {
  const key = channelHeadKey(tenant, channel);
  let head = await getRecord(deps, key);
  for (let reads = 0; reads < maxReads; reads++) {
    const nowMs = deps.clock.nowMs();
    const page = await scanChannel(deps, tenant, channel, reader, nowMs, cursor, limit);
    const after = await getRecord(deps, key);
    const tag = tagOf(after?.value, reader, nowMs);
    // Not only the index: a lease that had run out may have been renewed.
    if (tag === tagOf(head?.value, reader, nowMs)) return { ...page, tag };
    head = after;
  }
  throw new Unavailable(`The rules of ${channel} keep changing. Ask again.`);
}

async function scanChannel(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  channel: Channel,
  reader: Reader | null,
  nowMs: number,
  cursor: string | undefined,
  limit: number,
): Promise<Page<PolicyInChannel>> {
  const items: PolicyInChannel[] = [];
  let after = cursor;
  for (;;) {
    const page = await listPolicies(deps, tenant, after, scanPage);
    for (const summary of page.items) {
      if (items.length === limit) return { items, next: after ?? null };
      after = summary.id;
      const item = inChannel(summary, channel, reader, nowMs);
      if (item !== null) items.push(item);
    }
    if (page.next === null) return { items, next: null };
  }
}

/** A policy in a channel as a reader gets it, or, for null, everyone. */
export function inChannel(
  summary: PolicySummary,
  channel: Channel,
  reader: Reader | null,
  nowMs: number,
): PolicyInChannel | null {
  const state = summary.channels[channel];
  if (state === undefined) return null;
  const { gen, next, canary } = state;
  const { rule, canaryRun } = resolveFor(state, reader, nowMs);
  return {
    id: summary.id,
    gen,
    inForce: rule,
    next: next !== null && next.effectiveAtMs > nowMs ? next : null,
    canary: canary !== undefined && canary.leaseUntilMs > nowMs ? canary : null,
    served: canaryRun === null ? null : { run: canaryRun, stable: resolveRule(state, nowMs) },
  };
}

/**
 * A tag that differs whenever a reader's manifest of the channel does: after each change, when a
 * rule that waited takes effect, and when a canary's lease runs out. One record read.
 */
export async function manifestTag(
  deps: ListDeps,
  tenant: string,
  channel: Channel,
  reader: Reader | null,
  consistency: 'strong' | 'eventual' = 'eventual',
): Promise<string> {
  const found = await getRecord(deps, channelHeadKey(tenant, channel), { consistency });
  return tagOf(found?.value, reader, deps.clock.nowMs());
}

/** `manifestTag`, of a head that has been read. */
export function tagOf(head: ChannelHead | undefined, reader: Reader | null, nowMs: number): string {
  if (head === undefined) return 'empty';
  const { index, waiting, canaries = {} } = head;
  const due = Object.values(waiting).filter((effectiveAtMs) => effectiveAtMs <= nowMs).length;
  const tried = Object.entries(canaries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { leaseUntilMs, enforcedFromMs, ...audience }]) => {
      const live = leaseUntilMs > nowMs && (enforcedFromMs ?? 0) <= nowMs;
      return live && reader !== null && inAudience(audience, reader) ? '1' : '0';
    })
    .join('');
  const parts = [`${index}`, due === 0 ? '' : `-${due}`];
  if (tried.includes('1')) parts.push(`-c${BigInt(`0b${tried}`).toString(36)}`);
  return parts.join('');
}
