import * as z from 'zod';
import { claimLimits } from '../../core/claims/claim-limits.ts';
import {
  claim,
  claimId,
  claimKind,
  claimPage,
  claimTitle,
  filedClaim,
  openedUpload,
  uploadWish,
} from '../claim-schemas.ts';
import type { Operation } from '../operation.ts';
import { idempotencyKey, paging, readerHeaders, reason } from '../values.ts';

const none = z.object({});
const oneClaim = z.object({ claim: claimId });

/** Claims: a file, on somebody's behalf, that people review. */
export const claimOperations = {
  fileClaim: {
    id: 'fileClaim',
    method: 'post',
    path: '/claims',
    part: 'claims',
    scope: 'write:job',
    tag: 'Claims',
    summary: 'File a claim with a PDF',
    description:
      'The body is the file, whose content decides whether it is a PDF; or, as JSON ' +
      '(`ClaimFiling`), `{"file": "sha256:…", "title"?, "kind"?}` of one that was uploaded before. ' +
      'The claim, its job `claim.review` and the entry that tells of them are written at once.',
    params: none,
    query: z.object({
      title: claimTitle.optional().meta({ description: 'One line for people; with a file' }),
      kind: claimKind.optional().meta({ description: 'What is claimed; with a file' }),
    }),
    headers: z.object({
      'idempotency-key': idempotencyKey.optional(),
      'x-subject': readerHeaders['x-subject'].describe(
        'The claimant, else the subject of the token; needs the scope `hms/act:subject`',
      ),
      'x-region': readerHeaders['x-region'],
      'x-reason': reason.optional(),
    }),
    body: {
      kind: 'bytes',
      contentTypes: ['application/pdf', 'application/json'],
      maxBytes: claimLimits.maxPostedBytes,
    },
    responses: {
      202: {
        description: 'Filed',
        schema: filedClaim,
        headers: {
          Location: 'The claim',
          'Idempotent-Replayed': '`true` when the same was filed before',
        },
      },
    },
    problems: ['not_found', 'conflict', 'invalid_document', 'idempotency_key_reused'],
  },
  openUpload: {
    id: 'openUpload',
    method: 'post',
    path: '/claims/uploads',
    part: 'claims',
    scope: 'write:job',
    tag: 'Claims',
    summary: 'Open an upload for a file that is too large for a call',
    description:
      `Up to ${claimLimits.maxFileBytes} bytes. Only the bytes of this size and SHA-256 can be put; ` +
      'then file them with `POST /claims`.',
    params: none,
    query: none,
    headers: none,
    body: { kind: 'json', schema: uploadWish },
    responses: { 201: { description: 'Open, until `expiresAt`', schema: openedUpload } },
    problems: [],
  },
  listClaims: {
    id: 'listClaims',
    method: 'get',
    path: '/claims',
    part: 'claims',
    scope: 'read:job',
    tag: 'Claims',
    summary: 'The claims, newest first',
    params: none,
    query: z.object(paging(50, 100)),
    headers: none,
    responses: { 200: { description: 'A page', schema: claimPage } },
    problems: [],
  },
  getClaim: {
    id: 'getClaim',
    method: 'get',
    path: '/claims/{claim}',
    part: 'claims',
    scope: 'read:job',
    tag: 'Claims',
    summary: 'A claim, and what has become of it',
    params: oneClaim,
    query: none,
    headers: none,
    responses: { 200: { description: 'The claim', schema: claim } },
    problems: ['not_found'],
  },
  getClaimFile: {
    id: 'getClaimFile',
    method: 'get',
    path: '/claims/{claim}/file',
    part: 'claims',
    scope: 'read:job',
    tag: 'Claims',
    summary: 'The exact bytes of its file',
    params: oneClaim,
    query: none,
    headers: none,
    responses: {
      200: {
        description: 'The file, as a download',
        contentTypes: ['application/pdf'],
        headers: { ETag: 'Its digest, quoted' },
      },
    },
    problems: ['not_found'],
  },
} as const satisfies Record<string, Operation>;
