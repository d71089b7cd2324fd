import type { Deps } from '../deps.ts';
import { queryRecords } from '../records.ts';
import type { Lane } from '../policies/channel-record.ts';
import type { ServiceRecord } from './service-record.ts';
import { servicesPartition } from './telemetry-keys.ts';

/** Services of a lane that are looked at: the first in an order that has to do with nothing. */
const maxServices = 20_000;
const page = 1000;

/** What services told of a lane, page by page: at most 20 000 of them. */
export async function* readServices(
  deps: Pick<Deps, 'records'>,
  lane: Lane,
): AsyncGenerator<ServiceRecord> {
  let after: string | undefined;
  for (let seen = 0; seen < maxServices; seen += page) {
    const found = await queryRecords<ServiceRecord>(deps, {
      partition: servicesPartition(lane),
      after,
      limit: page,
    });
    for (const { value } of found) yield value;
    after = found.at(-1)?.key.sort;
    if (found.length < page) return;
  }
}
