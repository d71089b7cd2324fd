import type { Attempt } from '../../ports/partner-transport.ts';
import type { Channel } from '../policies/channel.ts';
import type { SnapshotRef } from '../policies/channel-record.ts';

/** `released`: rules came into force. `restored`: those who had been told hear that they are not. */
export const noticeKinds = ['released', 'restored'] as const;

export type NoticeKind = (typeof noticeKinds)[number];

/**
 * `retrying`: at least one attempt failed. `exhausted`: no time or attempt is left. `collapsed`:
 * newer notices say all that it would have said, or its release was taken back before it was told.
 * `gone`: the partner wants no more of them, or was deleted.
 */
export type DeliveryStatus =
  | 'pending'
  | 'retrying'
  | 'delivered'
  | 'acked'
  | 'exhausted'
  | 'collapsed'
  | 'gone';

/** One policy of a notice, with the lane's `gen` after the change. */
export interface NoticedPolicy extends SnapshotRef {
  readonly id: string;
  readonly gen: number;
}

export interface DeliveryAttempt extends Attempt {
  /** RFC 3339, when it ended. */
  readonly at: string;
}

/** One notice to one partner, as people see it. Times are RFC 3339. */
export interface Delivery {
  /** The same for every attempt, and what partners tell repeats by. */
  readonly id: string;
  readonly tenant: string;
  readonly run: number;
  readonly partner: string;
  readonly kind: NoticeKind;
  readonly channel: Channel;
  readonly policies: readonly NoticedPolicy[];
  readonly status: DeliveryStatus;
  /** The latest 16, oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
  /** Null when there will be none. */
  readonly nextAttemptAt: string | null;
  readonly deadlineAt: string;
  readonly createdAt: string;
}

/** Which notices: one record holds what all partners of a run are told at once. */
// A type alias, since an interface is not assignable to `Json`.
export type NoticesRef = {
  readonly tenant: string;
  readonly run: number;
  readonly kind: NoticeKind;
  /**
   * The journal entry that took a policy of the run back by itself, of which there may be several;
   * absent for what the run does as a whole.
   */
  readonly entry?: number;
};

export function noticesRefOf({ tenant, run, kind, entry }: NoticesRef): NoticesRef {
  return entry === undefined ? { tenant, run, kind } : { tenant, run, kind, entry };
}

/** How it stands with one partner. */
export interface PartnerDelivery extends Pick<
  Delivery,
  'id' | 'partner' | 'status' | 'attempts' | 'nextAttemptAt' | 'deadlineAt'
> {
  /** Attempts of the schedule that runs now. */
  readonly tries: number;
  /** Somebody is sending it, until then at the latest (Unix ms). */
  readonly claim: { readonly id: string; readonly untilMs: number } | null;
  /** A person asked for it again: newer notices do not replace it. */
  readonly insisted: boolean;
}

export interface NoticesRecord extends NoticesRef {
  readonly channel: Channel;
  readonly policies: readonly NoticedPolicy[];
  readonly reason: string | null;
  readonly createdAt: string;
  /** Where its entry is among those that are due; null when every delivery has ended. */
  readonly dueAt: string | null;
  /** 1 to 20. */
  readonly deliveries: readonly PartnerDelivery[];
}

export function isOpenDelivery({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'pending' || status === 'retrying';
}

export function deliveryOf(record: NoticesRecord, delivery: PartnerDelivery): Delivery {
  const { tenant, run, kind, channel, policies, createdAt } = record;
  const { id, partner, status, attempts, nextAttemptAt, deadlineAt } = delivery;
  const about = { id, tenant, run, partner, kind, channel, policies, status };
  return { ...about, attempts, nextAttemptAt, deadlineAt, createdAt };
}

/** A new id that leads to its record. The random part makes it one of a kind for the partner. */
export function newDeliveryId(
  { run, kind, entry }: Pick<NoticesRef, 'run' | 'kind' | 'entry'>,
  partner: string,
  random: string,
): string {
  return `${run}_${kind}${entry ?? ''}_${partner}_${random}`;
}

const idForm =
  /^(?<run>[1-9]\d{0,11})_(?<kind>released|restored)(?<entry>\d{0,12})_[a-z0-9][a-z0-9-]{0,62}_[0-9a-z-]{20,40}$/;

/** Which notices an id of a delivery belongs to; undefined for what is no such id. */
export function noticesOfId(tenant: string, id: string): NoticesRef | undefined {
  const { run, kind, entry } = idForm.exec(id)?.groups ?? {};
  if (run === undefined || (kind !== 'released' && kind !== 'restored')) return undefined;
  const ref = { tenant, run: Number(run), kind } as const;
  return entry === undefined || entry === '' ? ref : { ...ref, entry: Number(entry) };
}
