import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { InvalidRequest, NotFound, Unprocessable } from '../errors/app-error.ts';
import type { JobDeps } from '../jobs/change-job.ts';
import { type BesidesJob, enqueueJob } from '../jobs/enqueue-job.ts';
import { defaultRetry } from '../jobs/retry-schedule.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { digestName, sha256Hex } from '../packages/digest.ts';
import { checkPdf } from './check-pdf.ts';
import { claimId, claimKey, claimNumberKey } from './claim-keys.ts';
import { type ClaimRecord, claimReview, type ClaimStatus } from './claim-record.ts';
import { readClaim } from './read-claim.ts';

/** The bytes themselves, or the digest (64 hex digits) of what was uploaded before. */
export type ClaimFile = { readonly bytes: Uint8Array } | { readonly digest: string };

export interface Filing {
  readonly file: ClaimFile;
  /** On whose behalf: a subject that the caller may speak for. */
  readonly claimant: string;
  /** Of the claimant, where that is known. */
  readonly region?: string | undefined;
  readonly title: string | null;
  readonly kind: string | null;
  readonly idempotencyKey: string | null;
  readonly reason: string | null;
}

export interface FiledClaim {
  readonly id: string;
  readonly status: ClaimStatus;
  /** The same was filed before, under the same idempotency key. */
  readonly isRepeat: boolean;
}

/**
 * Takes a claim on: its file is checked and stored, then the claim, the job that reviews it, and
 * the entry that tells of both are written in one commit. The same again under the same idempotency
 * key answers the claim of the first time, as it is now.
 * Errors: `invalid_document` for what is no readable PDF; `NotFound` for a file that was not
 * uploaded; those of `enqueueJob`.
 */
export async function fileClaim(
  deps: JobDeps & Pick<Deps, 'blobs'>,
  origin: Origin,
  filing: Filing,
): Promise<FiledClaim> {
  const { tenant } = origin;
  const { claimant, title, kind, idempotencyKey, reason } = filing;
  const bytes = await bytesOf(deps, tenant, filing.file);
  const findings = checkPdf(bytes);
  if (findings.length > 0) {
    const message = 'The file is not a PDF that can be reviewed.';
    throw new Unprocessable('invalid_document', message, findings);
  }
  const digest = sha256Hex(bytes);
  if ('bytes' in filing.file) await deps.blobs.put({ tenant, digest }, bytes);
  const { byteLength: sizeBytes } = bytes;
  const told = { file: digestName(digest), sizeBytes, claimant, title, kind };
  const besides: BesidesJob = {
    // Its outcome is the claim's.
    isKept: true,
    facts: told,
    writes: ({ id, number, createdAt }) =>
      claimWrites(tenant, number, {
        id: claimId(number),
        job: id,
        digest,
        sizeBytes,
        claimant,
        filedBy: origin.actor,
        filedAt: createdAt,
        title,
        kind,
      }),
  };
  const job = {
    type: claimReview,
    data: told,
    priority: 'normal',
    notBeforeMs: null,
    maxAttempts: defaultRetry.maxAttempts,
    subject: claimant,
    region: filing.region,
    idempotencyKey,
    reason,
  } as const;
  const enqueued = await enqueueJob(deps, origin, job, besides);
  const id = claimId(enqueued.number);
  if (enqueued.status === 'queued') return { id, status: 'QUEUED', isRepeat: false };
  const { status } = await readClaim(deps, tenant, id);
  return { id, status, isRepeat: true };
}

function claimWrites(tenant: string, number: number, claim: ClaimRecord): RecordWrite[] {
  const { job } = claim;
  return [
    { kind: 'put', key: claimKey({ tenant, id: job }), value: claim, expect: 'absent' },
    { kind: 'put', key: claimNumberKey(tenant, number), value: { job }, expect: 'absent' },
  ];
}

async function bytesOf(
  { blobs }: Pick<Deps, 'blobs'>,
  tenant: string,
  file: ClaimFile,
): Promise<Uint8Array> {
  if ('bytes' in file) {
    if (file.bytes.byteLength > 0) return file.bytes;
    throw new InvalidRequest('The file is empty.', [{ pointer: '', detail: 'send its bytes' }]);
  }
  const bytes = await blobs.get({ tenant, digest: file.digest });
  if (bytes === undefined) {
    throw new NotFound('There is no file of this digest: open an upload and put it there first.');
  }
  // Whoever put it was not us: what is filed must not rest on what a store enforces.
  if (sha256Hex(bytes) !== file.digest) {
    throw new Unprocessable('invalid_document', 'The file is not the one that was announced.', [
      { pointer: '/file', detail: 'is not the digest of what was uploaded' },
    ]);
  }
  return bytes;
}
