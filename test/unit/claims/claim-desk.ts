import type { Claim } from '../../../src/core/claims/claim-record.ts';
import { type FiledClaim, fileClaim, type Filing } from '../../../src/core/claims/file-claim.ts';
import { listClaims } from '../../../src/core/claims/list-claims.ts';
import { readClaim } from '../../../src/core/claims/read-claim.ts';
import { type AttemptOutcome, finishAttempt } from '../../../src/core/jobs/finish-attempt.ts';
import { jobJournalsOf, jobKey, jobOfSubject } from '../../../src/core/jobs/job-keys.ts';
import type { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import type { JournalEntry, Origin } from '../../../src/core/journal/journal-entry.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { getRecord } from '../../../src/core/records.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { makePdf } from '../../support/make-pdf.ts';

/** Claims of one tenant, filed by the client `portal` for `ravi` unless told. */
export class ClaimDesk {
  readonly deps: CoreDeps;
  readonly tenant: string;
  #requests = 0;

  constructor(deps: CoreDeps = coreDeps(), tenant = 'demo') {
    this.deps = deps;
    this.tenant = tenant;
  }

  origin(actor = 'portal'): Origin {
    this.#requests += 1;
    return { tenant: this.tenant, actor, requestId: `request-${this.#requests}` };
  }

  file(change: Partial<Filing> = {}, actor?: string): Promise<FiledClaim> {
    return fileClaim(this.deps, this.origin(actor), {
      file: { bytes: makePdf() },
      claimant: 'ravi',
      title: null,
      kind: null,
      idempotencyKey: null,
      reason: null,
      ...change,
    });
  }

  read(id: string): Promise<Claim> {
    return readClaim(this.deps, this.tenant, id);
  }

  /** The claims in the order of the list, read page by page. */
  async listed(limit = 100): Promise<Claim[]> {
    const items: Claim[] = [];
    let cursor: string | undefined;
    do {
      const page = await listClaims(this.deps, this.tenant, cursor, limit);
      items.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return items;
  }

  async jobOf(id: string): Promise<JobRecord> {
    const ref = { tenant: this.tenant, id: (await this.read(id)).job };
    const found = await getRecord(this.deps, jobKey(ref, this.deps.jobJournals));
    if (found === undefined) throw new Error(`${id} has no job`);
    return found.value;
  }

  /** Has a reviewer take a claim; answers how to end that. */
  async review(id: string): Promise<(outcome: AttemptOutcome) => Promise<void>> {
    const origin = this.origin('reviewer');
    const ref = { tenant: this.tenant, id: (await this.read(id)).job };
    const terms = { worker: 'reviewer', leaseMs: 60_000, movesPlace: true, metricType: 'other' };
    const started = await startAttempt(this.deps, origin, ref, terms);
    if (started.status !== 'started') throw new Error(`${id} is ${started.status}`);
    const { token } = started.lease;
    const retry = { baseMs: 1000, maxMs: 1000 };
    return async (outcome) => {
      await finishAttempt(this.deps, origin, ref, outcome, { token, retry, metricType: 'other' });
    };
  }

  /** All that the logs of jobs tell of a job, or of all of them. */
  async journal(job?: string): Promise<JournalEntry[]> {
    const journals = jobJournalsOf(this.tenant, this.deps.jobJournals);
    const entries = await Promise.all(
      journals.map((journal) => entriesAfter(this.deps, journal, -1, 1000)),
    );
    return entries
      .flat()
      .filter(({ subject }) => job === undefined || jobOfSubject(subject) === job);
  }
}
