import type { Attachment } from '../attachments/attachment.ts';
import type { KeyOf } from '../records.ts';
import { sortableIndex } from '../journal/journal-keys.ts';
import type { Channel } from './channel.ts';
import type { ChannelRecord, Lane, StoredBody } from './channel-record.ts';
import type { ChannelSettings } from './channel-settings.ts';
import type { ChannelHead, PolicySummary } from './policy-summary.ts';
import type { SnapshotRecord } from './snapshot-record.ts';
import type { TimelineEntry } from './timeline-entry.ts';

/** Every record of one policy but its summary. No part of a key holds a `#` of its own. */
export function policyPartition(tenant: string, id: string): string {
  return `${tenant}#policy#${id}`;
}

/** The policies of a tenant, by id: one light record each. */
export function summariesPartition(tenant: string): string {
  return `${tenant}#policies`;
}

export function summaryKey(tenant: string, id: string): KeyOf<PolicySummary> {
  return { partition: summariesPartition(tenant), sort: id };
}

export function channelKey(tenant: string, id: string, channel: Channel): KeyOf<ChannelRecord> {
  return { partition: policyPartition(tenant, id), sort: `channel#${channel}` };
}

/** What changed last in a channel, over all policies: the tag of its manifest. */
export function channelHeadKey(tenant: string, channel: Channel): KeyOf<ChannelHead> {
  return { partition: `${tenant}#state`, sort: `channel-head#${channel}` };
}

/** How a channel takes new rules; absent: `defaultSettings`. */
export function channelSettingsKey(tenant: string, channel: Channel): KeyOf<ChannelSettings> {
  return { partition: `${tenant}#state`, sort: `channel-settings#${channel}` };
}

export const snapshotPrefix = 'snapshot#';

export function snapshotKey(tenant: string, id: string, snapshot: string): KeyOf<SnapshotRecord> {
  return { partition: policyPartition(tenant, id), sort: `${snapshotPrefix}${snapshot}` };
}

/** The body of a snapshot: apart from it, so that lists of snapshots stay light. */
export function bodyKey(tenant: string, id: string, snapshot: string): KeyOf<StoredBody> {
  return { partition: policyPartition(tenant, id), sort: `body#${snapshot}` };
}

/** What a digest or a version leads to. */
export interface SnapshotPointer {
  readonly snapshot: string;
}

/** From a digest to the snapshot's id. */
export function digestKey(tenant: string, id: string, digest: string): KeyOf<SnapshotPointer> {
  return { partition: policyPartition(tenant, id), sort: `digest#${digest}` };
}

export function versionPrefix(version: string): string {
  return `version#${version}#`;
}

/** From a version to the ids of its snapshots. */
export function versionKey(
  tenant: string,
  id: string,
  version: string,
  snapshot: string,
): KeyOf<SnapshotPointer> {
  return { partition: policyPartition(tenant, id), sort: `${versionPrefix(version)}${snapshot}` };
}

export function timelinePrefix(channel: Channel): string {
  return `timeline#${channel}#`;
}

/** Orders what happened in a channel by time, and within one millisecond by journal index. */
export function timelineKey(
  tenant: string,
  id: string,
  channel: Channel,
  place: { readonly at: string; readonly index: number },
): KeyOf<TimelineEntry> {
  return {
    partition: policyPartition(tenant, id),
    sort: `${timelinePrefix(channel)}${place.at}#${sortableIndex(place.index)}`,
  };
}

export const attachmentPrefix = 'attachment#';

/** Newest last. */
export function attachmentKey(tenant: string, id: string, index: number): KeyOf<Attachment> {
  return {
    partition: policyPartition(tenant, id),
    sort: `${attachmentPrefix}${sortableIndex(index)}`,
  };
}

/** From the digest and name of an attachment to its record. */
export function attachmentDigestPrefix(digest: string): string {
  return `attached#${digest}#`;
}

export function attachmentDigestKey(
  tenant: string,
  id: string,
  digest: string,
  name: string,
): KeyOf<Attachment> {
  return {
    partition: policyPartition(tenant, id),
    sort: `${attachmentDigestPrefix(digest)}${name}`,
  };
}

/** Rules that wait for their time, over all tenants, by that time. */
export const waitingPartition = '#waiting';

export function waitingSort(effectiveAtMs: number): string {
  return new Date(effectiveAtMs).toISOString();
}

export function waitingKey(
  tenant: string,
  id: string,
  channel: Channel,
  effectiveAtMs: number,
): KeyOf<Lane> {
  return {
    partition: waitingPartition,
    sort: `${waitingSort(effectiveAtMs)}#${tenant}#${id}#${channel}`,
  };
}
