import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import { jobKey } from '../jobs/job-keys.ts';
import type { JobRecord, JobStatus } from '../jobs/job-record.ts';
import { getRecord, getRecords } from '../records.ts';
import type { Json } from '../values/json.ts';
import { claimKey, claimNumber, claimNumberKey } from './claim-keys.ts';
import { claimLimits } from './claim-limits.ts';
import type { Claim, ClaimRecord, ClaimStatus } from './claim-record.ts';

type ReadDeps = Pick<Deps, 'records' | 'jobJournals'>;

/** A claim with what has become of it. Errors: `NotFound`, also for another tenant's. */
export async function readClaim(deps: ReadDeps, tenant: string, id: string): Promise<Claim> {
  const numbered = await getRecord(deps, claimNumberKey(tenant, claimNumber(id)));
  if (numbered === undefined) throw new NotFound('There is no such claim.');
  const job = { tenant, id: numbered.value.job };
  const [claim, reviewing] = await getRecords(deps, [claimKey(job), jobKey(job, deps.jobJournals)]);
  // Both were written in one commit, and neither is ever deleted.
  if (claim === undefined) throw new Error(`The record of ${tenant}'s ${id} is not there.`);
  return claimAt(claim.value, reviewing?.value);
}

/** The file of a claim. Errors: as of `readClaim`. */
export async function readClaimFile(
  deps: ReadDeps & Pick<Deps, 'blobs'>,
  tenant: string,
  id: string,
): Promise<{ readonly claim: Claim; readonly bytes: Uint8Array }> {
  const claim = await readClaim(deps, tenant, id);
  const bytes = await deps.blobs.get({ tenant, digest: claim.digest });
  if (bytes === undefined) throw new Error(`The file of ${tenant}'s ${id} is not there.`);
  return { claim, bytes };
}

const statuses: Readonly<Record<JobStatus, ClaimStatus>> = {
  queued: 'QUEUED',
  failed: 'QUEUED',
  processing: 'IN_REVIEW',
  completed: 'REVIEWED',
  rejected: 'REJECTED',
  dead: 'FAILED',
  cancelled: 'CANCELLED',
};

/** How far a claim is, as the job that reviews it says. */
export function claimAt(claim: ClaimRecord, job: JobRecord | undefined): Claim {
  // It is kept as long as the claim.
  if (job === undefined) throw new Error(`The job ${claim.job} of ${claim.id} is not there.`);
  return { ...claim, status: statuses[job.status], ...outcomeOf(job) };
}

function outcomeOf({
  status,
  result,
  error,
  history,
}: JobRecord): Pick<Claim, 'decision' | 'reason'> {
  const { maxDecisionChars, maxReasonChars } = claimLimits;
  switch (status) {
    case 'completed':
      return {
        decision: textOf(result, 'decision', maxDecisionChars),
        reason: textOf(result, 'reason', maxReasonChars),
      };
    case 'rejected':
    case 'dead':
      return { decision: null, reason: error?.message ?? null };
    case 'cancelled':
      return { decision: null, reason: history.at(-1)?.detail ?? null };
    default:
      return { decision: null, reason: null };
  }
}

/** The reviewer's system answers what it likes: we look for two texts in it. */
function textOf(result: Json, name: string, maxChars: number): string | null {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return null;
  const value: Json | undefined = (result as Readonly<Record<string, Json>>)[name];
  return typeof value === 'string' ? value.slice(0, maxChars).toWellFormed() : null;
}
