import * as z from 'zod';
import { journalPage } from '../journal-schemas.ts';
import type { Operation } from '../operation.ts';
import {
  attachmentPage,
  historyPage,
  manifest,
  policyPage,
  rule,
  ruleDiff,
  snapshotPage,
} from '../policy-schemas.ts';
import { channel, paging, policyId, readerHeaders, snapshotName, timestamp } from '../values.ts';

const none = z.object({});
const onePolicy = z.object({ id: policyId });
const conditional = z.object({ 'if-none-match': z.string().optional() });
const page = paging(50, 200);
/** Policies that a page of a manifest has at most, and unless it is told otherwise. */
export const manifestLimit = 10_000;
const notModified = { description: 'The caller has it already' } as const;

/** The calls that look at policies without changing them. */
export const queryOperations = {
  listPolicies: {
    id: 'listPolicies',
    method: 'get',
    path: '/api/policies',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Policies',
    summary: 'Every policy, by id, with its channels',
    params: none,
    query: z.object(page),
    headers: none,
    responses: { 200: { description: 'A page', schema: policyPage } },
    problems: [],
  },
  getManifest: {
    id: 'getManifest',
    method: 'get',
    path: '/api/manifest',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Rules',
    summary: 'Every policy of a channel with its snapshot',
    description: 'One `304` replaces a poll per policy.',
    params: none,
    query: z.object({
      channel: channel.optional().describe('Else the header `X-Channel`, else `prod`'),
      ...paging(manifestLimit, manifestLimit),
    }),
    headers: conditional.extend({ 'x-channel': channel.optional(), ...readerHeaders }),
    responses: {
      200: { description: 'The manifest', schema: manifest, headers: { ETag: 'Of the channel' } },
      304: notModified,
    },
    problems: [],
  },
  getHistory: {
    id: 'getHistory',
    method: 'get',
    path: '/api/policies/{id}/history',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Policies',
    summary: 'What was put in force, newest first',
    params: onePolicy,
    query: z.object({ channel: channel.optional().describe('All channels unless named'), ...page }),
    headers: none,
    responses: { 200: { description: 'A page', schema: historyPage } },
    problems: ['not_found'],
  },
  diffRules: {
    id: 'diffRules',
    method: 'get',
    path: '/api/policies/{id}/diff',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Policies',
    summary: 'What differs between two rules',
    params: onePolicy,
    query: z.object({
      from: snapshotName.describe('A snapshot, or a channel for what is in force there'),
      to: snapshotName.describe('Likewise'),
    }),
    headers: none,
    responses: { 200: { description: 'The changes, in the order of the rule', schema: ruleDiff } },
    problems: ['not_found', 'not_in_force', 'ambiguous_snapshot'],
  },
  listSnapshots: {
    id: 'listSnapshots',
    method: 'get',
    path: '/api/policies/{id}/snapshots',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Snapshots',
    summary: 'Every package ever stored, newest first',
    params: onePolicy,
    query: z.object(page),
    headers: none,
    responses: { 200: { description: 'A page', schema: snapshotPage } },
    problems: ['not_found'],
  },
  getSnapshot: {
    id: 'getSnapshot',
    method: 'get',
    path: '/api/policies/{id}/snapshots/{snapshot}',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Snapshots',
    summary: 'Any snapshot ever stored: its rule, or its exact package',
    description:
      'With `Accept: application/zip`, the bytes that were stored; else the rule as JSON.',
    params: onePolicy.extend({ snapshot: snapshotName }),
    query: none,
    headers: conditional.extend({ accept: z.string().max(1000).optional() }),
    responses: {
      200: {
        description: 'The rule, or the package',
        schema: rule,
        contentTypes: ['application/json', 'application/zip'],
        headers: {
          ETag: 'The snapshot, quoted',
          'Repr-Digest': 'SHA-256 of the rule or the package as sent (RFC 9530)',
        },
      },
      304: notModified,
    },
    problems: ['not_found', 'ambiguous_snapshot', 'not_acceptable'],
  },
  listAttachments: {
    id: 'listAttachments',
    method: 'get',
    path: '/api/policies/{id}/attachments',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Attachments',
    summary: 'The documents beside the policy, newest first',
    params: onePolicy,
    query: z.object(page),
    headers: none,
    responses: { 200: { description: 'A page', schema: attachmentPage } },
    problems: ['not_found'],
  },
  getAttachment: {
    id: 'getAttachment',
    method: 'get',
    path: '/api/policies/{id}/attachments/{digest}',
    part: 'queries',
    scope: 'read:policy',
    tag: 'Attachments',
    summary: 'The exact bytes of a document',
    params: onePolicy.extend({
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, '`sha256:` and 64 hex digits'),
    }),
    query: none,
    headers: none,
    responses: { 200: { description: 'The document, as a download', contentTypes: ['*/*'] } },
    problems: ['not_found'],
  },
  getAudit: {
    id: 'getAudit',
    method: 'get',
    path: '/api/audit',
    part: 'queries',
    scope: 'read:audit',
    tag: 'Journal',
    summary: 'The journal: who changed what, when, and why',
    description:
      'Filters are combined. A page may be short, or empty, while `next` is not null: the scan ' +
      'goes on there. Jobs have logs of their own, over which they are spread.',
    params: none,
    query: z.object({
      log: z
        .string()
        .regex(/^jobs-(?:0|[1-9]\d?)$/, 'the name of a log, such as jobs-0')
        .optional()
        .describe(
          '`jobs-0`, `jobs-1` … as many as there are; the journal of all else unless named',
        ),
      actor: z.string().max(200).optional(),
      action: z.string().max(100).optional(),
      subject: z.string().max(200).optional(),
      requestId: z.string().max(200).optional(),
      since: timestamp.optional().describe('Inclusive'),
      until: timestamp.optional().describe('Exclusive'),
      order: z.enum(['asc', 'desc']).default('asc'),
      ...page,
    }),
    headers: none,
    responses: { 200: { description: 'A page', schema: journalPage } },
    problems: ['not_found'],
  },
} as const satisfies Record<string, Operation>;
