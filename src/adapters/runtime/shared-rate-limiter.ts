import type { Deps } from '../../core/deps.ts';
import type { RateLimits } from '../../core/limits/rate-limits.ts';
import { RecentMap } from '../../core/limits/recent-map.ts';
import {
  expiryOf,
  levelsAfter,
  sharedLevelsKey,
  type Use,
} from '../../core/limits/shared-levels.ts';
import { TenantBuckets } from '../../core/limits/tenant-buckets.ts';
import { getRecord } from '../../core/records.ts';
import type { RateLimiter, Refusal } from '../../ports/rate-limiter.ts';
import type { RecordWrite } from '../../ports/record-store.ts';

type LimiterDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'log'>;

interface Options {
  /** From 0 to 1, evenly: spreads the writes of processes that began together. */
  readonly random?: () => number;
}

const maxTenants = 200;
const maxClients = 1000;
const leastPauseMs = 1000;
const spreadMs = 250;
/** What is less than this part of a burst waits to be told until there is more of it. */
const toldPart = 0.05;

/**
 * A `RateLimiter` for many processes on one store: each has buckets of its own, and once in a while
 * it takes what it has let through out of the buckets that all share, and learns what is left.
 *
 * Cost: a read and a conditional write at most once a second for each process and tenant, and once
 * for every 20th of a burst; nothing waits for them. Without an answer of the store, each process
 * goes by its own buckets, and what could not be told is let go.
 *
 * How far off: with n processes of which each tells every `t` seconds, the calls let through in any
 * time exceed the limit by at most `(n - 1) * (1.05 * burst + 2 * t * perSecond)`: `t` is at most
 * 1.25, and as much again whenever another process writes at the same moment. What is too much is a
 * debt that all processes go by, so that on average the limit holds, up to 30 s of debt. The
 * other way round, a bucket that was full may lack what others let through and had not told yet.
 */
export function sharedRateLimiter(
  deps: LimiterDeps,
  limits: RateLimits,
  { random = Math.random }: Options = {},
): RateLimiter {
  const tenants = new RecentMap<SharedBuckets>(maxTenants);
  return {
    limits,
    take(tenant, client, part) {
      let shared = tenants.get(tenant);
      if (shared === undefined) {
        shared = new SharedBuckets(deps, tenant, limits, random);
        tenants.set(tenant, shared);
      }
      return shared.take(client, part);
    },
  };
}

/** Counts of calls by client. */
class Tally implements Use {
  sinceMs: number;
  calls = 0;
  readonly byClient = new Map<string, number>();

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  add(client: string, calls: number): void {
    this.calls += calls;
    // Of more, the store may be long in answering: they count for the tenant alone.
    if (this.byClient.size >= maxClients && !this.byClient.has(client)) return;
    this.byClient.set(client, (this.byClient.get(client) ?? 0) + calls);
  }
}

class SharedBuckets {
  readonly #deps: LimiterDeps;
  readonly #tenant: string;
  readonly #limits: RateLimits;
  readonly #random: () => number;
  readonly #buckets: TenantBuckets;
  readonly #worthTelling: number;
  #untold: Tally;
  #isTelling = false;
  #tellFromMs = 0;

  constructor(deps: LimiterDeps, tenant: string, limits: RateLimits, random: () => number) {
    this.#deps = deps;
    this.#tenant = tenant;
    this.#limits = limits;
    this.#random = random;
    const nowMs = deps.clock.nowMs();
    this.#buckets = new TenantBuckets(limits, nowMs);
    this.#untold = new Tally(nowMs);
    const bursts = [limits.tenant, limits.client].map((rate) => rate?.burst ?? Infinity);
    this.#worthTelling = Math.ceil(toldPart * Math.min(...bursts));
  }

  take(client: string, part = 1): Refusal | null {
    const nowMs = this.#deps.clock.nowMs();
    const refusal = this.#buckets.take(client, nowMs, part);
    if (refusal === null) this.#untold.add(client, part);
    if (this.#isTimeToTell(nowMs)) void this.#tell(nowMs);
    return refusal;
  }

  #isTimeToTell(nowMs: number): boolean {
    if (this.#isTelling || this.#untold.calls < this.#worthTelling) return false;
    const waitMs = this.#tellFromMs - nowMs;
    // A clock that stepped back must not keep it silent.
    return waitMs <= 0 || waitMs > leastPauseMs + spreadMs;
  }

  async #tell(nowMs: number): Promise<void> {
    this.#isTelling = true;
    this.#tellFromMs = nowMs + leastPauseMs + this.#random() * spreadMs;
    const told = this.#untold;
    this.#untold = new Tally(nowMs);
    try {
      const written = await this.#write(told);
      // Somebody was faster: it was not counted, and is told the next time.
      if (written === 'conflict') {
        this.#untold.sinceMs = told.sinceMs;
        for (const [client, calls] of told.byClient) this.#untold.add(client, calls);
      }
    } catch (error) {
      // It may have been written: told again, it might count twice.
      this.#deps.log.warn('rate limit not shared', { tenant: this.#tenant, error });
    } finally {
      this.#isTelling = false;
    }
  }

  async #write(told: Use): Promise<'committed' | 'conflict'> {
    const { records, clock, ids } = this.#deps;
    const key = sharedLevelsKey(this.#tenant);
    const stored = await getRecord({ records }, key);
    const atMs = clock.nowMs();
    const value = levelsAfter(stored?.value, told, this.#limits, atMs);
    // At once: what it says holds, whether or not the write comes first.
    this.#buckets.learn(value, this.#untold, atMs, atMs);
    const expiresAtMs = expiryOf(value, this.#limits);
    const expect = stored?.rev ?? 'absent';
    const write: RecordWrite = { kind: 'put', key, value, expect, expiresAtMs };
    return records.commit([write], ids.next());
  }
}
