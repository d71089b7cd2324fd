export type ClaimStatus = 'QUEUED' | 'IN_REVIEW' | 'REVIEWED' | 'REJECTED' | 'FAILED' | 'CANCELLED';

/** What `GET /claims/{claim}` answers. */
export interface ClaimPage {
  /** `CLM-` and a number. */
  readonly claim_id: string;
  readonly status: ClaimStatus;
  /** The reviewer's. */
  readonly decision: string | null;
  /** The reviewer's, or why it ended otherwise. */
  readonly reason: string | null;
  /** `sha256:` and 64 hex digits. */
  readonly file: string;
  readonly sizeBytes: number;
  /** On whose behalf. */
  readonly claimant: string;
  readonly filedBy: string;
  readonly filedAt: string;
  readonly title: string | null;
  readonly kind: string | null;
  /** The job `claim.review`. */
  readonly job: string;
}

export interface OpenedUpload {
  readonly upload: {
    readonly method: 'PUT';
    /** Whoever has it may put that one file. No token is sent there. */
    readonly url: string;
    /** To be sent as they are. */
    readonly headers: Readonly<Record<string, string>>;
    readonly expiresAt: string;
  };
  /** What to file then. */
  readonly file: string;
}
