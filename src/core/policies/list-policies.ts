import type { Deps } from '../deps.ts';
import type { Channel } from './channel.ts';
import type { SnapshotRef, Waiting } from './channel-record.ts';
import { channelHeadKey, summariesPartition } from './policy-keys.ts';
import { getRecord, queryRecords } from '../records.ts';
import type { PolicySummary } from './policy-summary.ts';
import { resolveRule } from './resolve-rule.ts';

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
  readonly inForce: SnapshotRef | null;
  readonly next: Waiting<SnapshotRef> | null;
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

/** The policies that have a rule in a channel, up to `limit` of them, after `cursor` (an id). */
export async function listChannel(
  deps: ListDeps,
  tenant: string,
  channel: Channel,
  cursor: string | undefined,
  limit: number,
): Promise<Page<PolicyInChannel>> {
  const nowMs = deps.clock.nowMs();
  const items: PolicyInChannel[] = [];
  let after = cursor;
  for (;;) {
    const page = await listPolicies(deps, tenant, after, scanPage);
    for (const summary of page.items) {
      if (items.length === limit) return { items, next: after ?? null };
      after = summary.id;
      const item = inChannel(summary, channel, nowMs);
      if (item !== null) items.push(item);
    }
    if (page.next === null) return { items, next: null };
  }
}

export function inChannel(
  summary: PolicySummary,
  channel: Channel,
  nowMs: number,
): PolicyInChannel | null {
  const state = summary.channels[channel];
  if (state === undefined) return null;
  const inForce = resolveRule(state, nowMs);
  const next = state.next === inForce ? null : state.next;
  return { id: summary.id, gen: state.gen, inForce, next };
}

/**
 * A tag that differs whenever the manifest of the channel does: after each change, and when a
 * rule that waited takes effect. One record read.
 */
export async function manifestTag(
  deps: ListDeps,
  tenant: string,
  channel: Channel,
): Promise<string> {
  const found = await getRecord(deps, channelHeadKey(tenant, channel), {
    consistency: 'eventual',
  });
  if (found === undefined) return 'empty';
  const { index, waiting } = found.value;
  const nowMs = deps.clock.nowMs();
  const due = Object.values(waiting).filter((effectiveAtMs) => effectiveAtMs <= nowMs).length;
  return due === 0 ? `${index}` : `${index}-${due}`;
}
