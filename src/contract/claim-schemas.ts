import * as z from 'zod';
import { claimIdPattern } from '../core/claims/claim-keys.ts';
import { claimLimits } from '../core/claims/claim-limits.ts';
import { claimStatuses } from '../core/claims/claim-record.ts';
import { digest, oneLine, pageOf, timestamp } from './values.ts';

const { maxFileBytes, maxKindChars, maxTitleChars } = claimLimits;

export const claimId = z
  .string()
  .regex(claimIdPattern, '`CLM-` and a number')
  .meta({ description: '`CLM-` and the number of the job that reviews it', example: 'CLM-4521' });

const status = z
  .enum(claimStatuses)
  .describe(
    '`QUEUED` until a reviewer takes it; `FAILED` when every attempt did, until it is retried',
  );

/** What a claim is about: in the query of a posted file, in the body otherwise. */
export const claimTitle = oneLine(maxTitleChars).describe('One line for people');
export const claimKind = oneLine(maxKindChars).describe('What is claimed, as the agency calls it');

const fileDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/, '`sha256:` and 64 hex digits');

/** The body of `POST /claims` for a file that was uploaded before. */
export const claimFiling = z
  .strictObject({
    file: fileDigest,
    title: claimTitle.optional(),
    kind: claimKind.optional(),
  })
  .meta({ id: 'ClaimFiling' });

/** What `POST /claims` answers. */
export const filedClaim = z.object({ claim_id: claimId, status }).meta({ id: 'FiledClaim' });

export const claim = filedClaim
  .extend({
    decision: z.string().nullable().describe('`decision` of what the reviewer completed it with'),
    reason: z.string().nullable().describe('Likewise `reason`, or why it ended otherwise'),
    file: digest,
    sizeBytes: z.int(),
    claimant: z.string().describe('On whose behalf'),
    filedBy: z.string(),
    filedAt: timestamp,
    title: z.string().nullable(),
    kind: z.string().nullable(),
    job: z.string().describe('The job `claim.review`'),
  })
  .meta({ id: 'Claim' });

export const claimPage = pageOf(claim).meta({ id: 'ClaimPage' });

export const uploadWish = z
  .strictObject({
    sizeBytes: z.int().min(1).max(maxFileBytes),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
  })
  .meta({ id: 'UploadWish' });

export const openedUpload = z
  .object({
    upload: z.object({
      method: z.literal('PUT'),
      url: z.string().describe('Whoever has it may put that one file. No token is sent there'),
      headers: z.record(z.string(), z.string()).describe('To be sent as they are'),
      expiresAt: timestamp,
    }),
    file: digest.describe('What to file when the upload was answered 200, or 412: it was there'),
  })
  .meta({ id: 'OpenedUpload' });
