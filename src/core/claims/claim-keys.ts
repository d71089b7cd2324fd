import type { JobRef } from '../jobs/job-record.ts';
import { sortableIndex } from '../journal/journal-keys.ts';
import type { KeyOf } from '../records.ts';
import type { ClaimRecord } from './claim-record.ts';

/** The claims of a tenant by their jobs, whose ids sort by time. */
export function claimsPartition(tenant: string): string {
  return `${tenant}#claims`;
}

/** The claim that a job reviews. */
export function claimKey({ tenant, id }: JobRef): KeyOf<ClaimRecord> {
  return { partition: claimsPartition(tenant), sort: id };
}

/** Where a claim is that is known by its number. */
export interface NumberedClaim {
  readonly job: string;
}

export function claimNumberKey(tenant: string, number: number): KeyOf<NumberedClaim> {
  return { partition: `${tenant}#claim-numbers`, sort: sortableIndex(number) };
}

/** What a claim is called. Only its plain form: no two names for one claim. */
export const claimIdPattern = /^CLM-[1-9]\d{0,14}$/;

export function claimId(number: number): string {
  return `CLM-${number}`;
}

export function claimNumber(id: string): number {
  return Number(id.slice('CLM-'.length));
}
