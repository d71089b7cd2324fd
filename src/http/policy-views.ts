import type { Attachment } from '../core/attachments/attachment.ts';
import { digestName } from '../core/packages/digest.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { type Channel, channels } from '../core/policies/channel.ts';
import { type Canary, canaryLeaseMs } from '../core/policies/canary.ts';
import type { RuleRef, Waiting } from '../core/policies/channel-record.ts';
import {
  inChannel,
  type PolicyInChannel,
  type ServedCanary,
} from '../core/policies/list-policies.ts';
import type { PolicySummary } from '../core/policies/policy-summary.ts';
import type { SnapshotRecord } from '../core/policies/snapshot-record.ts';
import type { TimelineEntry } from '../core/policies/timeline-entry.ts';

/** How the domain's values look on the wire: times as RFC 3339, digests with their algorithm. */

export function snapshotView(id: string, record: SnapshotRecord) {
  const { digest, effectiveAt, ...rest } = record;
  const digests = { digest: digestName(digest), bodyDigest: bodyDigestOf(record) };
  return { id, ...rest, ...digests, effective: effectiveAt };
}

/** Null for what was stored before it was kept. */
function bodyDigestOf(rule: Pick<RuleRef, 'bodyDigest'> | null): string | null {
  return rule?.bodyDigest === undefined ? null : digestName(rule.bodyDigest);
}

function waitingView(next: Waiting<RuleRef> | null) {
  if (next === null) return null;
  const { snapshot, version, effectiveAtMs } = next;
  const effectiveAt = new Date(effectiveAtMs).toISOString();
  return { snapshot, version, bodyDigest: bodyDigestOf(next), effectiveAt };
}

function canaryView(canary: Canary | null) {
  if (canary === null) return null;
  const { run, rule, weight, region } = canary;
  const scope = region === null ? null : `region:${region}`;
  return { run, snapshot: rule.snapshot, version: rule.version, percent: weight / 100, scope };
}

function channelView({ inForce, gen, next }: PolicyInChannel) {
  return {
    snapshot: inForce?.snapshot ?? null,
    version: inForce?.version ?? null,
    bodyDigest: bodyDigestOf(inForce),
    gen,
    next: waitingView(next),
  };
}

/** Who runs the channel sees what is tried on a few; a reader sees the rule that it is given. */
function operatorView(policy: PolicyInChannel) {
  return { ...channelView(policy), canary: canaryView(policy.canary) };
}

export function summaryView(summary: PolicySummary, nowMs: number) {
  const held: Partial<Record<Channel, ReturnType<typeof operatorView>>> = {};
  for (const channel of channels) {
    const policy = inChannel(summary, channel, null, nowMs);
    if (policy !== null) held[channel] = operatorView(policy);
  }
  return { id: summary.id, createdAt: summary.createdAt, channels: held };
}

export function manifestItemView(policy: PolicyInChannel) {
  const etag = policy.inForce === null ? null : `"${policy.inForce.snapshot}"`;
  return { id: policy.id, etag, ...channelView(policy), canary: servedView(policy.served) };
}

function servedView(served: ServedCanary | null) {
  if (served === null) return null;
  const { run, stable } = served;
  const { snapshot, version } = stable ?? {};
  return {
    run,
    holdsSeconds: canaryLeaseMs / 1000,
    stable: snapshot === undefined ? null : { snapshot, version, bodyDigest: bodyDigestOf(stable) },
  };
}

export function historyView(entry: TimelineEntry) {
  const { index, at, actor, action, reason, requestId } = entry;
  const { channel, snapshot, version, gen, effectiveAt } = entry.changed;
  return {
    index,
    at,
    actor,
    action,
    channel,
    snapshot,
    version,
    gen,
    before: entry.before?.snapshot ?? null,
    effectiveAt,
    reason,
    requestId,
  };
}

export function journalView({ commitId: _, ...entry }: JournalEntry) {
  return entry;
}

export function attachmentView({ index: _, digest, ...attachment }: Attachment) {
  return { ...attachment, digest: digestName(digest) };
}
