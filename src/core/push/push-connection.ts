import type { ShardRef } from '../../ports/push-queue.ts';
import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import { backOffMs } from '../journal/send-commit.ts';
import { getRecord } from '../records.ts';
import type { Positions } from './positions.ts';
import type { PushDeps } from './push-deps.ts';
import type { ClosingReason } from './push-frames.ts';
import { connectionKey, ownerKey, shardOf } from './push-keys.ts';
import { redeemTicket, type StoredPrincipal, storedPrincipal } from './tickets.ts';
import type { OpenTopic } from './topic-terms.ts';

/** A subscription of a connection that a gateway holds. */
export interface PushSubscription {
  readonly name: string;
  /** Tells it from another one of the same name. */
  readonly id: string;
  readonly opened: OpenTopic;
  /** `new`: the client was not told of it; `joining`: it catches up; `live`: it goes with its shard. */
  readonly state: 'new' | 'joining' | 'live';
  /** What it has had, or does not want; a live one may have had more: what its shard was told. */
  readonly positions: Positions;
  /** Where it is done, when its topic is over. */
  readonly ends: Positions | null;
}

/** A connection that a gateway holds, and all that is known of it. */
export interface PushConnection {
  readonly id: string;
  readonly principal: StoredPrincipal;
  /** Unix ms from which on it is told nothing more and closed. */
  readonly endsAtMs: number;
  readonly endsAs: ClosingReason;
  readonly subscriptions: readonly PushSubscription[];
}

/** Where it is. */
export interface ConnectionRef extends ShardRef {
  readonly connection: string;
}

/** API Gateway ends a connection after two hours. */
export const connectionLifeMs = 115 * 60_000;
/** The record outlives the connection, so that who speaks after its end is told why. */
const keptMs = 15 * 60_000;
const maxAttempts = 12;

/** Takes a connection on, for whoever the ticket stands for; null: for nobody. Errors: `Unavailable`. */
export async function openConnection(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  id: string,
  ticket: string,
): Promise<ConnectionRef | null> {
  const principal = await redeemTicket(deps, ticket);
  if (principal === null) return null;
  const { tenant, expiresAtMs } = principal;
  const endsAtMs = Math.min(deps.clock.nowMs() + connectionLifeMs, expiresAtMs);
  const endsAs = endsAtMs === expiresAtMs ? 'expired' : 'over';
  const stored = storedPrincipal(principal);
  const value: PushConnection = { id, principal: stored, endsAtMs, endsAs, subscriptions: [] };
  const ref = { ...shardOf(tenant, id), connection: id };
  const expires = { expect: 'absent', expiresAtMs: Math.ceil(endsAtMs + keptMs) } as const;
  const outcome = await deps.records.commit(
    [
      { kind: 'put', key: connectionKey(ref, id), value, ...expires },
      { kind: 'put', key: ownerKey(id), value: { tenant }, ...expires },
    ],
    deps.ids.next(),
  );
  if (outcome === 'conflict') throw new Unavailable('The connection was not stored. Try again.');
  return ref;
}

/** Whose connection it is; null: none that is known. */
export async function findConnection(
  deps: Pick<Deps, 'records'>,
  id: string,
): Promise<{ readonly ref: ConnectionRef; readonly value: PushConnection } | null> {
  const owner = await getRecord(deps, ownerKey(id));
  if (owner === undefined) return null;
  const ref = { ...shardOf(owner.value.tenant, id), connection: id };
  const found = await getRecord(deps, connectionKey(ref, id));
  return found === undefined ? null : { ref, value: found.value };
}

/**
 * Changes the record of a connection, and answers it as it is then; null: there is none any more.
 * `change` is called again, on a fresh read, when somebody else was faster; undefined changes nothing.
 * Errors: what it throws; `Unavailable`, when it may or may not have been changed.
 */
export async function changeConnection(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  ref: ConnectionRef,
  change: (value: PushConnection) => PushConnection | undefined,
): Promise<PushConnection | null> {
  const key = connectionKey(ref, ref.connection);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const found = await getRecord(deps, key);
    if (found === undefined) return null;
    const value = change(found.value);
    if (value === undefined) return found.value;
    const expiresAtMs = Math.ceil(value.endsAtMs + keptMs);
    const put = { kind: 'put', key, value, expect: found.rev, expiresAtMs } as const;
    if ((await deps.records.commit([put], deps.ids.next())) === 'committed') return value;
    await deps.clock.sleep(backOffMs(attempt));
  }
  throw new Unavailable('The connection is changed by too many at this moment. Try again.');
}

/** Changes one subscription, if it is still there and is that one; undefined takes it away. */
export async function changeSubscription(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  ref: ConnectionRef,
  id: string,
  change: (subscription: PushSubscription) => PushSubscription | undefined,
): Promise<void> {
  await changeConnection(deps, ref, (value) => {
    if (!value.subscriptions.some((each) => each.id === id)) return undefined;
    const subscriptions = value.subscriptions.flatMap((each) =>
      each.id === id ? (change(each) ?? []) : [each],
    );
    return { ...value, subscriptions };
  });
}

/** Forgets a connection: it is told nothing more. Errors: `Unavailable`, when it may still be. */
export async function forgetConnection(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  { connection, ...shard }: ConnectionRef,
): Promise<void> {
  const keys = [connectionKey(shard, connection), ownerKey(connection)];
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const found = await deps.records.getMany(keys);
    const writes = found.flatMap((record) =>
      record === undefined
        ? []
        : [{ kind: 'delete', key: record.key, expect: record.rev } as const],
    );
    if (writes.length === 0) return;
    if ((await deps.records.commit(writes, deps.ids.next())) === 'committed') return;
    await deps.clock.sleep(backOffMs(attempt));
  }
  throw new Unavailable('The connection is changed by too many at this moment. Try again.');
}

/**
 * Closes a connection and forgets it: first of all the latter, so that it is told nothing more, and
 * that a client which goes on is told to come anew. Where the gateway does not answer, it is left at
 * that. Errors: `Unavailable` of the store.
 */
export async function dropConnection(
  deps: PushDeps,
  ref: ConnectionRef,
  reason: ClosingReason | null,
): Promise<void> {
  await forgetConnection(deps, ref);
  await sayGoodbye(deps, ref.connection, reason);
}

/** Closes a connection, and says why. What goes wrong with that is logged. */
export async function sayGoodbye(
  deps: Pick<PushDeps, 'poster' | 'log'>,
  connection: string,
  reason: ClosingReason | null,
): Promise<void> {
  try {
    if (reason !== null) {
      await deps.poster.post(connection, JSON.stringify({ type: 'closing', reason }));
    }
    await deps.poster.close(connection);
  } catch (error) {
    deps.log.warn('connection not closed', { connection, error });
  }
}
