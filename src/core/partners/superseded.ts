import type { Deps } from '../deps.ts';
import { queryRecords } from '../records.ts';
import type { NoticesRecord } from './delivery.ts';
import { noticesPartition } from './partner-keys.ts';

/** Notices of a tenant that are looked at: an older one is sent although it is no news. */
const maxLookedAt = 100;

/**
 * Those of the partners to whom newer notices say all that these would: about each of the
 * policies they get, or have got, a notice of a higher `gen` of the same channel. One query.
 */
export async function supersededPartners(
  deps: Pick<Deps, 'records'>,
  record: NoticesRecord,
): Promise<ReadonlySet<string>> {
  const found = await queryRecords<NoticesRecord>(deps, {
    partition: noticesPartition(record.tenant),
    order: 'desc',
    limit: maxLookedAt,
  });
  const others = found
    .map(({ value }) => value)
    .filter(({ channel, run, kind, entry }) => {
      const isItself = run === record.run && kind === record.kind && entry === record.entry;
      return channel === record.channel && !isItself;
    });
  const partners = record.deliveries.map(({ partner }) => partner);
  return new Set(
    partners.filter((partner) =>
      record.policies.every(({ id, gen }) =>
        others.some((other) => tells(other, partner) && hasNewer(other, id, gen)),
      ),
    ),
  );
}

const toldStatuses: ReadonlySet<string> = new Set(['pending', 'retrying', 'delivered', 'acked']);

function tells({ deliveries }: NoticesRecord, name: string): boolean {
  return deliveries.some(({ partner, status }) => partner === name && toldStatuses.has(status));
}

function hasNewer({ policies }: NoticesRecord, policyId: string, thanGen: number): boolean {
  return policies.some(({ id, gen }) => id === policyId && gen > thanGen);
}
