import type { KeyOf } from '../records.ts';
import type { Rate, RateLimits } from './rate-limits.ts';
import { refilled, wholeCall } from './token-bucket.ts';

/** What the buckets of a tenant hold over all processes, in thousandths of a call; absent: full. */
export interface SharedLevels {
  /** Unix ms. */
  readonly atMs: number;
  /** Below 0: more was let through than there was, and time has to make up for it. */
  readonly tenant: number | null;
  /** Those with least left, at most `maxShared`; every other client's is taken for full. */
  readonly clients: readonly (readonly [client: string, left: number])[];
}

/** Calls that were let through by one process. */
export interface Use {
  /** Unix ms from which on they were. */
  readonly sinceMs: number;
  readonly calls: number;
  readonly byClient: ReadonlyMap<string, number>;
}

/** How far a bucket can go below empty, in seconds of its rate: nobody pays back for longer. */
export const maxDebtS = 30;
const maxShared = 32;
/** Clocks that run further ahead than this are not gone by: nothing would be filled until then. */
const maxAheadMs = 5000;

/** One record for a tenant; it expires some time after all is full again. */
export function sharedLevelsKey(tenant: string): KeyOf<SharedLevels> {
  return { partition: `${tenant}#limits`, sort: 'levels' };
}

/**
 * What is left when one process tells what it used. Time fills what the use has emptied: a bucket
 * that was full meanwhile only for want of being told has lost nothing.
 */
export function levelsAfter(
  stored: SharedLevels | undefined,
  use: Use,
  limits: RateLimits,
  nowMs: number,
): SharedLevels {
  const useMs = Math.max(0, nowMs - use.sinceMs);
  const isGoodTime = stored !== undefined && stored.atMs <= nowMs + maxAheadMs;
  const storedAtMs = isGoodTime ? stored.atMs : nowMs;
  // No record: all was full all the time, and nobody else has told of that time.
  const elapsedMs = stored === undefined ? useMs : Math.max(0, nowMs - storedAtMs);
  const quietMs = Math.max(0, elapsedMs - useMs);
  const after = (left: number | undefined, calls: number, rate: Rate): number => {
    const before = refilled(left ?? rate.burst * wholeCall, quietMs, rate);
    const then = refilled(before - calls * wholeCall, elapsedMs - quietMs, rate);
    return Math.max(then, -maxDebtS * rate.perSecond * wholeCall);
  };
  const { tenant, client } = limits;
  return {
    atMs: Math.max(nowMs, storedAtMs),
    tenant: tenant === null ? null : after(stored?.tenant ?? undefined, use.calls, tenant),
    clients: client === null ? [] : clientsAfter(stored, use, client, after),
  };
}

function clientsAfter(
  stored: SharedLevels | undefined,
  use: Use,
  rate: Rate,
  after: (left: number | undefined, calls: number, rate: Rate) => number,
): SharedLevels['clients'] {
  const before = new Map(stored?.clients);
  const names = new Set([...before.keys(), ...use.byClient.keys()]);
  return [...names]
    .map((name) => [name, after(before.get(name), use.byClient.get(name) ?? 0, rate)] as const)
    .filter(([, left]) => left < rate.burst * wholeCall)
    .sort(([, a], [, b]) => a - b)
    .slice(0, maxShared);
}

/** Full again, it stays for so long: without it, use of one time would be made up for twice. */
const keptMs = 60_000;

/** Unix time in whole ms from which on the record is not needed. */
export function expiryOf({ atMs, tenant, clients }: SharedLevels, limits: RateLimits): number {
  const waitMs = (left: number | null | undefined, rate: Rate | null): number =>
    rate === null || left === null || left === undefined
      ? 0
      : (rate.burst * wholeCall - left) / rate.perSecond;
  // The clients are in order: the first has least left.
  const fullInMs = Math.max(waitMs(tenant, limits.tenant), waitMs(clients[0]?.[1], limits.client));
  return Math.ceil(atMs + fullInMs) + keptMs;
}
