import * as z from 'zod';
import { packageLimits } from '../../core/packages/package-limits.ts';
import type { Operation } from '../operation.ts';
import { movement, storedAttachment, storedSnapshot } from '../policy-schemas.ts';
import { stagedRule } from '../run-schemas.ts';
import { channel, policyId, reason, snapshotName } from '../values.ts';

const none = z.object({});
const onePolicy = z.object({ id: policyId });
const packageTypes = [
  'application/zip',
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
  'text/x-yaml',
] as const;
const packageBody = {
  kind: 'bytes',
  contentTypes: packageTypes,
  maxBytes: packageLimits.maxPackedBytes,
} as const;
const changeHeaders = z.object({
  'x-channel': channel.optional(),
  'x-reason': reason.optional().describe('Why: kept in the journal, sent with the event'),
  'if-match': z
    .string()
    .optional()
    .describe('Only if this snapshot is in force, quoted, or `*` for any'),
});
const queued = {
  description: 'A run takes it into force',
  schema: stagedRule,
  headers: { Location: 'The run' },
} as const;

/** The calls that change what services read. */
export const changeOperations = {
  publishPolicy: {
    id: 'publishPolicy',
    method: 'post',
    path: '/api/policies/{id}/publish',
    part: 'changes',
    scope: 'write:policy',
    tag: 'Changes',
    summary: 'Store a package and put it in force in a channel',
    description:
      'The channel is `X-Channel`, else `dev`. A bare YAML document is packed here. With ' +
      '`X-Rollout: staged`, or where the channel takes it no other way, a run is queued.',
    params: onePolicy,
    query: none,
    headers: changeHeaders.extend({
      'x-rollout': z.literal('staged').optional().describe('By a rollout, as of `POST /api/runs`'),
    }),
    body: packageBody,
    responses: {
      201: {
        description: 'Stored, and the channel moved',
        schema: movement,
        headers: { Location: 'The snapshot' },
      },
      200: { description: 'The channel has this snapshot already', schema: movement },
      202: queued,
    },
    problems: [
      'not_acceptable',
      'precondition_failed',
      'too_large',
      'unsupported_media_type',
      'invalid_package',
      'invalid_policy',
      'conflict',
    ],
  },
  storeSnapshot: {
    id: 'storeSnapshot',
    method: 'post',
    path: '/api/policies/{id}/snapshots',
    part: 'changes',
    scope: 'write:policy',
    tag: 'Changes',
    summary: 'Store a package and move no channel',
    params: onePolicy,
    query: none,
    headers: z.object({ 'x-reason': reason.optional() }),
    body: packageBody,
    responses: {
      201: { description: 'Stored', schema: storedSnapshot, headers: { Location: 'It' } },
      200: { description: 'It was there already', schema: storedSnapshot },
    },
    problems: [
      'too_large',
      'unsupported_media_type',
      'invalid_package',
      'invalid_policy',
      'conflict',
    ],
  },
  rollbackPolicy: {
    id: 'rollbackPolicy',
    method: 'post',
    path: '/api/policies/{id}/rollback',
    part: 'changes',
    scope: 'write:policy',
    tag: 'Changes',
    summary: 'Put an earlier rule back in force',
    description:
      'Without a snapshot: the one before. The channel is `channel` of the body, else ' +
      '`X-Channel`, else `prod`. What waits for its effective time is dropped.',
    params: onePolicy,
    query: none,
    headers: changeHeaders,
    body: {
      kind: 'json',
      optional: true,
      schema: z.strictObject({
        snapshot: snapshotName.optional(),
        channel: channel.optional(),
        reason: reason.optional(),
      }),
    },
    responses: { 200: { description: 'Every reader has it now', schema: movement } },
    problems: [
      'not_found',
      'ambiguous_snapshot',
      'nothing_to_roll_back_to',
      'rollout_required',
      'precondition_failed',
      'not_yet_effective',
      'conflict',
    ],
  },
  promotePolicy: {
    id: 'promotePolicy',
    method: 'post',
    path: '/api/policies/{id}/promote',
    part: 'changes',
    scope: 'write:policy',
    tag: 'Changes',
    summary: 'Put the newest rule of one channel in force in another',
    params: onePolicy,
    query: none,
    headers: changeHeaders.omit({ 'x-channel': true }),
    body: {
      kind: 'json',
      schema: z.strictObject({ from: channel, to: channel, reason: reason.optional() }),
    },
    responses: { 200: { description: 'Promoted', schema: movement }, 202: queued },
    problems: ['not_found', 'not_in_force', 'precondition_failed', 'conflict'],
  },
  addAttachment: {
    id: 'addAttachment',
    method: 'post',
    path: '/api/policies/{id}/attachments',
    part: 'changes',
    scope: 'write:policy',
    tag: 'Attachments',
    summary: 'Store a document beside the policy',
    params: onePolicy,
    query: z.object({
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,119}$/, 'a file name of 1 to 120 plain characters')
        .describe('The name it is shown and downloaded by'),
    }),
    headers: z.object({
      'content-type': z.string().max(200).optional(),
      'x-reason': reason.optional(),
    }),
    body: { kind: 'bytes', contentTypes: ['*'], maxBytes: packageLimits.maxPackedBytes },
    responses: {
      201: { description: 'Stored', schema: storedAttachment, headers: { Location: 'It' } },
      200: { description: 'It was there already', schema: storedAttachment },
    },
    problems: ['not_found', 'too_large', 'conflict'],
  },
} as const satisfies Record<string, Operation>;
