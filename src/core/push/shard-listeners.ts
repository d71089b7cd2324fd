import type { ShardRef } from '../../ports/push-queue.ts';
import { getRecords, queryRecords } from '../records.ts';
import type { ConnectionRef, PushConnection, PushSubscription } from './push-connection.ts';
import type { PushDeps } from './push-deps.ts';
import { connectionPrefix, cursorKey, logOfJournal, shardPartition } from './push-keys.ts';
import { termsOf, type TopicTerms } from './topic-terms.ts';

/** A subscription that goes with its shard, and listens to the log in question. */
interface Heard {
  readonly subscription: PushSubscription;
  readonly terms: TopicTerms;
  /** Where it stands in each of its journals: moved on by who tells it. */
  readonly places: number[];
  /** Which of them the log is. */
  readonly at: number;
}

/** A connection that listens to a log. */
export interface Listener {
  readonly ref: ConnectionRef;
  readonly connection: PushConnection;
  readonly heard: readonly Heard[];
}

const pageLength = 200;

/** Every connection of the shard that listens to the log and has caught up. `place`: the shard's, in it. */
export async function shardListeners(
  deps: Pick<PushDeps, 'records' | 'jobJournals'>,
  ref: ShardRef,
  log: string,
  place: number,
): Promise<Listener[]> {
  const connections = await connectionsOf(deps, ref);
  const heard = connections.map((connection) => ({
    connection,
    live: connection.subscriptions.flatMap((subscription) => {
      if (subscription.state !== 'live') return [];
      const terms = termsOf(ref.tenant, subscription.opened, deps.jobJournals);
      const logs = terms.journals.map(logOfJournal);
      return logs.includes(log) ? [{ subscription, terms, logs }] : [];
    }),
  }));
  const listening = heard.filter(({ live }) => live.length > 0);
  const logs = new Set(listening.flatMap(({ live }) => live.flatMap((each) => each.logs)));
  logs.delete(log);
  const reached = new Map([...(await shardPlaces(deps, ref, [...logs])), [log, place]]);
  return listening.map(({ connection, live }) => ({
    ref: { tenant: ref.tenant, shard: ref.shard, connection: connection.id },
    connection,
    heard: live.map(({ subscription, terms, logs: own }) => ({
      subscription,
      terms,
      places: placesOf(subscription, own, reached),
      at: own.indexOf(log),
    })),
  }));
}

/** The index of the last entry of each log that the shard was told of. */
export async function shardPlaces(
  deps: Pick<PushDeps, 'records'>,
  ref: ShardRef,
  logs: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (logs.length === 0) return new Map();
  const cursors = await getRecords(
    deps,
    logs.map((log) => cursorKey(ref, log)),
  );
  return new Map(logs.map((log, at) => [log, (cursors[at]?.value.nextIndex ?? 0) - 1]));
}

/** Where a live subscription stands: where its shard does, or where it began, if that is later. */
export function placesOf(
  { positions }: PushSubscription,
  logs: readonly string[],
  reached: ReadonlyMap<string, number>,
): number[] {
  return logs.map((log, at) => Math.max(positions[at] ?? -1, reached.get(log) ?? -1));
}

async function connectionsOf(
  deps: Pick<PushDeps, 'records'>,
  ref: ShardRef,
): Promise<PushConnection[]> {
  const connections: PushConnection[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await queryRecords<PushConnection>(deps, {
      partition: shardPartition(ref),
      prefix: connectionPrefix,
      ...(after === undefined ? {} : { after }),
      limit: pageLength,
    });
    connections.push(...page.map(({ value }) => value));
    after = page.at(-1)?.key.sort;
    if (page.length < pageLength) return connections;
  }
}
