import { randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { jobPriorities } from '../../core/jobs/job-record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue, JobTurn, QueuedJob, TurnWish } from '../../ports/job-queue.ts';
import { checkHideMs, checkJobs, checkWish } from '../runtime/job-queue-limits.ts';
import {
  jobQueueSchema,
  prepareJobQueueStatements,
  type JobQueueStatements,
} from './job-queue-statements.ts';
import { openSqliteDatabase } from './open-sqlite-database.ts';
import { translateSqliteError } from './sqlite-errors.ts';
import { TurnWaiters } from './turn-waiters.ts';

export interface SqliteJobQueue extends JobQueue {
  /** Lets go of the file, and of those who wait. Whatever is called afterwards fails. */
  close(): void;
}

/**
 * A JobQueue in one SQLite file, for jobs of any type. Errors on opening: see `openSqliteDatabase`.
 *
 * On the disk is which jobs there are, in memory whose turn it is (some 400 bytes a job): the only
 * process that may have the file open hands out the turns, so that they end with it, and every job
 * waits again when the file is opened. Sending and removing is written before it is acknowledged,
 * but not synced: loss of power may lose the latest, which is made up for from the records.
 *
 * Within a priority, tenants with a job to hand out have one turn each, in turn. At most 1000
 * receivers wait, more are `Unavailable`.
 */
export async function openSqliteJobQueue(options: {
  readonly file: string;
  readonly clock: Clock;
}): Promise<SqliteJobQueue> {
  const database = await openSqliteDatabase(options.file, jobQueueSchema);
  try {
    return new OpenJobQueue(database, options.clock);
  } catch (error) {
    database.close();
    throw error;
  }
}

class OpenJobQueue implements SqliteJobQueue {
  readonly #database: DatabaseSync;
  readonly #sql: JobQueueStatements;
  readonly #clock: Clock;
  readonly #waiters: TurnWaiters;
  /** Of each lane, the tenant that had the last turn. */
  readonly #lastTenants = new Map<string, string>();
  /** No receipt of a process before this one is good. */
  #lastTurn = randomInt(2 ** 47);

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#sql = prepareJobQueueStatements(database);
    this.#clock = clock;
    this.#waiters = new TurnWaiters(
      {
        claim: (type, wish) => translating(() => this.#claim(type, wish)),
        nextVisibleMs: (type) => translating(() => this.#nextVisibleMs(type)),
      },
      clock,
    );
  }

  async send(jobs: readonly QueuedJob[]): Promise<void> {
    checkJobs(jobs);
    translating(() => this.#insert(jobs));
    for (const { type, notBeforeMs } of jobs) this.#waiters.expect(type, notBeforeMs);
  }

  async receive(type: string, wish: TurnWish): Promise<JobTurn[]> {
    checkWish(wish);
    if (wish.signal?.aborted === true) return [];
    const turns = translating(() => this.#claim(type, wish));
    if (turns.length > 0 || wish.waitMs === 0) return turns;
    return await this.#waiters.wait(type, wish);
  }

  async hide({ type, receipt }: JobTurn, ms: number): Promise<'hidden' | 'gone'> {
    checkHideMs(ms);
    const visibleAtMs = this.#clock.nowMs() + ms;
    const { changes } = translating(() => this.#sql.hide.run(visibleAtMs, ...parts(receipt)));
    if (changes === 0) return 'gone';
    this.#waiters.expect(type, visibleAtMs);
    return 'hidden';
  }

  async remove({ receipt }: JobTurn): Promise<void> {
    translating(() => this.#sql.remove.run(...parts(receipt)));
  }

  close(): void {
    this.#waiters.close();
    this.#database.close();
  }

  #insert(jobs: readonly QueuedJob[]): void {
    this.#sql.begin.run();
    try {
      for (const { type, priority, tenant, id, notBeforeMs } of jobs) {
        this.#sql.insert.run(type, jobPriorities.indexOf(priority), tenant, id, notBeforeMs);
      }
      this.#sql.commit.run();
    } finally {
      if (this.#database.isTransaction) this.#sql.rollback.run();
    }
  }

  #claim(type: string, { max, hideMs }: TurnWish): JobTurn[] {
    const nowMs = this.#clock.nowMs();
    const turns: JobTurn[] = [];
    for (const rank of jobPriorities.keys()) {
      for (let turn; turns.length < max; turns.push(turn)) {
        turn = this.#claimOne(type, rank, nowMs, nowMs + hideMs);
        if (turn === undefined) break;
      }
    }
    return turns;
  }

  /** Of the first tenant with a job to hand out, from the one after the last in the ring on. */
  #claimOne(type: string, rank: number, nowMs: number, untilMs: number): JobTurn | undefined {
    const lane = `${type} ${rank}`;
    const last = this.#lastTenants.get(lane) ?? '';
    const turn = ++this.#lastTurn;
    let isAround = last === '';
    let tenant = this.#tenantAfter(type, rank, last);
    for (;;) {
      if (tenant === undefined) {
        if (isAround) return undefined;
        isAround = true;
        tenant = this.#tenantAfter(type, rank, '');
        continue;
      }
      const row = this.#sql.claim.get(untilMs, turn, type, rank, tenant, nowMs);
      if (row !== undefined) {
        this.#lastTenants.set(lane, tenant);
        return { tenant, type, id: String(row['id']), receipt: `${String(row['seq'])}-${turn}` };
      }
      tenant = this.#tenantAfter(type, rank, tenant);
    }
  }

  #tenantAfter(type: string, rank: number, tenant: string): string | undefined {
    const next = this.#sql.nextTenant.get(type, rank, tenant)?.['tenant'];
    return typeof next === 'string' ? next : undefined;
  }

  #nextVisibleMs(type: string): number | undefined {
    const at = this.#sql.nextVisible.get(type)?.['at'];
    return typeof at === 'number' ? at : undefined;
  }
}

/** The job and the turn that a receipt names; where it is none of ours, none. */
function parts(receipt: string): [seq: number, turn: number] {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(receipt);
  return [Number(match?.[1] ?? -1), Number(match?.[2] ?? -1)];
}

function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(error, 'The job queue');
  }
}
