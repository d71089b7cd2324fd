import type { PushQueue, ShardRef } from '../../ports/push-queue.ts';
import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import { tenantOfJournal } from '../journal/journal-keys.ts';
import { backOffMs } from '../journal/send-commit.ts';
import { getRecord } from '../records.ts';
import { interestKey, logOfJournal, type PushInterest } from './push-keys.ts';

/** Over the life of a connection by an hour: so often, at the most, is an interest noted again. */
export const interestMs = 3 * 3_600_000;
const maxAttempts = 12;

/**
 * Notes that somebody in a shard may listen to these logs until `untilMs`: from then on what they
 * tell is brought to it. Nothing takes it back; it is over when its time is. Errors: `Unavailable`.
 */
export async function noteInterest(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  { tenant, shard }: ShardRef,
  logs: readonly string[],
  untilMs: number,
): Promise<void> {
  const key = interestKey(tenant);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const found = await getRecord(deps, key);
    const known = found?.value ?? {};
    const names = logs.map((log) => `${log}/${shard}`);
    const missing = names.filter((name) => (known[name] ?? 0) < untilMs);
    if (missing.length === 0) return;
    const nowMs = deps.clock.nowMs();
    const kept = Object.entries(known).filter(([, until]) => until > nowMs);
    const noted = missing.map((name) => [name, nowMs + interestMs] as const);
    const value: PushInterest = Object.fromEntries([...kept, ...noted]);
    const expiresAtMs = Math.max(...Object.values(value));
    const put = { kind: 'put', key, value, expect: found?.rev ?? 'absent', expiresAtMs } as const;
    if ((await deps.records.commit([put], deps.ids.next())) === 'committed') return;
    await deps.clock.sleep(backOffMs(attempt));
  }
  throw new Unavailable('Too many subscribe at this moment. Try again.');
}

/**
 * Tells the shards that listen to a journal that it has grown: a message for each of them, and one
 * read where nobody listens. Safe to repeat. Errors: `Unavailable`.
 */
export function tellShards(
  deps: Pick<Deps, 'records' | 'clock'> & { readonly pushQueue: PushQueue },
): (journal: string, index: number) => Promise<void> {
  return async (journal, index) => {
    const tenant = tenantOfJournal(journal);
    const found = await getRecord(deps, interestKey(tenant));
    const nowMs = deps.clock.nowMs();
    const log = logOfJournal(journal);
    const shards = Object.entries(found?.value ?? {}).flatMap(([name, untilMs]) => {
      const [ofLog, shard] = name.split('/');
      return ofLog === log && untilMs > nowMs ? [Number(shard)] : [];
    });
    if (shards.length === 0) return;
    const id = `${log}/${index}`;
    await deps.pushQueue.send(
      shards.map((shard) => ({ tenant, shard, id, kind: 'grown', log }) as const),
    );
  };
}
