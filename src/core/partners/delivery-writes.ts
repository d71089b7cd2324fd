import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import type { Channel } from '../policies/channel.ts';
import {
  newDeliveryId,
  type NoticedPolicy,
  type NoticesRecord,
  type NoticesRef,
  noticesRefOf,
} from './delivery.ts';
import { dueKey, noticesKey } from './partner-keys.ts';
import { deadlineMs } from './schedule.ts';

export interface NewNotices extends NoticesRef {
  readonly channel: Channel;
  readonly policies: readonly NoticedPolicy[];
  /** Names, at most 20. */
  readonly partners: readonly string[];
  readonly reason: string | null;
  /** RFC 3339 in UTC, to the millisecond: of the journal entry that the notices tell of. */
  readonly at: string;
}

const maxPartners = 20;

/**
 * What makes the partners of a run be told: two writes, however many there are, for the commit
 * that the notices tell of; none without partners. Once per run and kind. The first attempt is due
 * at once: by `deliverRun`, or by the next `deliverDue`.
 */
export function deliveryWrites(deps: Pick<Deps, 'ids'>, notices: NewNotices): RecordWrite[] {
  const { channel, policies, reason, at } = notices;
  const partners = [...new Set(notices.partners)];
  if (partners.length === 0) return [];
  if (partners.length > maxPartners)
    throw new RangeError(`a run has at most ${maxPartners} partners`);
  const ref = noticesRefOf(notices);
  const deadlineAt = new Date(Date.parse(at) + deadlineMs).toISOString();
  const record: NoticesRecord = {
    ...ref,
    channel,
    policies,
    reason,
    createdAt: at,
    dueAt: at,
    deliveries: partners.map((partner) => ({
      id: newDeliveryId(ref, partner, deps.ids.next()),
      partner,
      status: 'pending',
      attempts: [],
      tries: 0,
      nextAttemptAt: at,
      deadlineAt,
      claim: null,
      insisted: false,
    })),
  };
  return [
    { kind: 'put', key: noticesKey(ref), value: record, expect: 'absent' },
    { kind: 'put', key: dueKey(ref, at), value: ref, expect: 'absent' },
  ];
}
