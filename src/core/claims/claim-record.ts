/** What somebody claims, with a file to prove it. Written once; how far it is, its job knows. */
export interface ClaimRecord {
  /** `CLM-` and the number of its job. */
  readonly id: string;
  /** The job of type `claim.review` that reviews it. */
  readonly job: string;
  /** SHA-256 of the file, 64 hex digits: its address in the blob store. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** On whose behalf it is: the subject of the token, or whom its holder may speak for. */
  readonly claimant: string;
  /** The client or user that filed it. */
  readonly filedBy: string;
  readonly filedAt: string;
  readonly title: string | null;
  /** What is claimed, in the words of the agency: `disability`. */
  readonly kind: string | null;
}

/**
 * `QUEUED`: waits for a reviewer, also again. `IN_REVIEW`: one has it. The rest are ends: `REVIEWED`
 * with a decision; `REJECTED` as no case for a review; `FAILED` when every attempt did, until a
 * person has it retried; `CANCELLED`.
 */
export const claimStatuses = [
  'QUEUED',
  'IN_REVIEW',
  'REVIEWED',
  'REJECTED',
  'FAILED',
  'CANCELLED',
] as const;

export type ClaimStatus = (typeof claimStatuses)[number];

/** A claim with what has become of it. */
export interface Claim extends ClaimRecord {
  readonly status: ClaimStatus;
  /** What the reviewer decided. */
  readonly decision: string | null;
  /** Why: of the reviewer, or of whoever ended it otherwise. */
  readonly reason: string | null;
}

export const claimReview = 'claim.review';
