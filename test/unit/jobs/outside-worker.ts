import type { StoredJob } from '../../../src/core/jobs/change-job.ts';
import {
  type AttemptOutcome,
  finishAttempt,
  type FinishedAttempt,
} from '../../../src/core/jobs/finish-attempt.ts';
import { renewLease, reportProgress } from '../../../src/core/jobs/keep-lease.ts';
import { type LeasedJob, leaseJobs, type LeaseWish } from '../../../src/core/jobs/lease-jobs.ts';
import type { JobDesk } from '../../support/job-desk.ts';

/** A type that the service has no worker for. */
export const outsideType = 'outside.note';

/** A worker outside, as the API lets it work. */
export class OutsideWorker {
  readonly #desk: JobDesk;
  readonly #name: string;

  constructor(desk: JobDesk, name = 'crew') {
    this.#desk = desk;
    this.#name = name;
  }

  lease(wish: Partial<LeaseWish> = {}): Promise<LeasedJob[]> {
    const plain = { types: [outsideType], limit: 1, leaseMs: 60_000, waitMs: 0 };
    return leaseJobs(this.#desk.deps, this.#desk.origin(this.#name), { ...plain, ...wish });
  }

  /** The one job that it gets. */
  async leaseOne(wish: Partial<LeaseWish> = {}): Promise<LeasedJob> {
    const [leased] = await this.lease(wish);
    if (leased === undefined) throw new Error('there is no job');
    return leased;
  }

  /** `known`: the record as somebody has it at hand. */
  finish(
    { stored, lease }: LeasedJob,
    outcome: AttemptOutcome,
    known?: StoredJob,
  ): Promise<FinishedAttempt> {
    const ref = { tenant: this.#desk.tenant, id: stored.value.id };
    return finishAttempt(this.#desk.deps, this.#desk.origin(this.#name), ref, outcome, {
      token: lease.token,
      retry: { baseMs: 1000, maxMs: 60_000 },
      metricType: 'other',
      known,
    });
  }

  complete(leased: LeasedJob, result = 'done'): Promise<FinishedAttempt> {
    return this.finish(leased, { kind: 'completed', result });
  }

  fail(leased: LeasedJob, part: { final?: boolean; retryAfterMs?: number } = {}) {
    return this.finish(leased, {
      kind: 'failed',
      code: 'jammed',
      message: 'it is jammed',
      ...part,
    });
  }

  renew({ stored, lease }: LeasedJob, leaseMs = 60_000): Promise<number> {
    const ref = { tenant: this.#desk.tenant, id: stored.value.id };
    return renewLease(this.#desk.deps, ref, lease.token, leaseMs);
  }

  progress({ stored, lease }: LeasedJob, percent: number): Promise<void> {
    const ref = { tenant: this.#desk.tenant, id: stored.value.id };
    const said = { percent, note: null };
    const origin = this.#desk.origin(this.#name);
    return reportProgress(this.#desk.deps, origin, ref, lease.token, said);
  }
}
