import type { ShardRef } from '../../ports/push-queue.ts';
import { sha256Hex } from '../packages/digest.ts';
import type { KeyOf } from '../records.ts';
import type { PushConnection } from './push-connection.ts';

/** Over how many shards the connections of a tenant are spread. */
export const pushShards = 8;

/** How far a shard has been told of a journal: every entry before `nextIndex`. */
export interface ShardCursor {
  readonly nextIndex: number;
  /** Unix ms until which somebody may listen: the record expires then. */
  readonly untilMs: number;
}

/** Which shards of a tenant listen to which logs, and until when somebody may: Unix ms by `<log>/<shard>`. */
export type PushInterest = Readonly<Record<string, number>>;

/** The shard of a tenant that a connection belongs to. */
export function shardOf(tenant: string, connection: string): ShardRef {
  const digest = sha256Hex(Buffer.from(connection));
  return { tenant, shard: Number.parseInt(digest.slice(0, 8), 16) % pushShards };
}

export function shardPartition({ tenant, shard }: ShardRef): string {
  return `${tenant}#push-${shard}`;
}

/** What the keys of all connections of a shard begin with. */
export const connectionPrefix = 'connection#';

export function connectionKey(ref: ShardRef, connection: string): KeyOf<PushConnection> {
  return { partition: shardPartition(ref), sort: `${connectionPrefix}${connection}` };
}

export function cursorKey(ref: ShardRef, log: string): KeyOf<ShardCursor> {
  return { partition: shardPartition(ref), sort: `cursor#${log}` };
}

export function interestKey(tenant: string): KeyOf<PushInterest> {
  return { partition: `${tenant}#push`, sort: 'interest' };
}

/** Whose a connection is: a frame comes with nothing but the id that the gateway gave it. */
export function ownerKey(connection: string): KeyOf<{ readonly tenant: string }> {
  return { partition: `#push-connections#${connection}`, sort: 'owner' };
}

const mainLog = 'main';

/** What a journal is called within its tenant: `main`, `jobs-3`. */
export function logOfJournal(journal: string): string {
  const end = journal.indexOf('#');
  return end === -1 ? mainLog : journal.slice(end + 1);
}

export function journalOfLog(tenant: string, log: string): string {
  return log === mainLog ? tenant : `${tenant}#${log}`;
}
