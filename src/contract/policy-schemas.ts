import * as z from 'zod';
import { channel, digest, pageOf, policyId, snapshotId, timestamp } from './values.ts';

const bodyDigest = digest
  .nullable()
  .describe(
    'Of the exact JSON bytes in which the rule is sent; null for what was stored before it was kept',
  );

const waiting = z
  .object({ snapshot: snapshotId, version: z.string(), bodyDigest, effectiveAt: timestamp })
  .meta({ id: 'Waiting', description: 'A rule already distributed, in force from `effectiveAt`' });

/** What `publish`, `promote` and `rollback` answer. */
export const movement = z
  .object({
    id: policyId,
    channel,
    snapshot: snapshotId,
    status: z.enum(['stored', 'promoted', 'rolledback', 'unchanged']),
    version: z.string(),
    digest,
    gen: z.int().describe('Raised by one with every change of the channel'),
    effectiveAt: timestamp.nullable().describe('Set when the rule is not in force before then'),
    before: snapshotId.nullable().describe('What was in force until now'),
    index: z.int().nullable().describe('The journal entry, or null when nothing changed'),
  })
  .meta({ id: 'Movement' });

/** What `POST …/snapshots` answers, and an item of `GET …/snapshots`. */
export const snapshot = z
  .object({
    id: policyId,
    snapshot: snapshotId,
    version: z.string(),
    digest,
    bodyDigest,
    sizeBytes: z.int(),
    effective: timestamp.nullable(),
    tags: z.array(z.string()),
    entries: z.array(z.object({ path: z.string(), sizeBytes: z.int(), sha256: z.string() })),
    storedAt: timestamp,
    storedBy: z.string(),
  })
  .meta({ id: 'Snapshot' });

export const storedSnapshot = snapshot
  .extend({ status: z.enum(['stored', 'unchanged']) })
  .meta({ id: 'StoredSnapshot' });

/** A policy in one channel, at the moment of the answer. */
const inChannel = z.object({
  snapshot: snapshotId.nullable().describe('In force; null while the first one waits'),
  version: z.string().nullable(),
  bodyDigest: bodyDigest.describe(`${bodyDigest.description}; null while the first one waits`),
  gen: z.int(),
  next: waiting.nullable(),
});

export const policySummary = z
  .object({
    id: policyId,
    createdAt: timestamp,
    channels: z.partialRecord(
      channel,
      inChannel.extend({
        canary: z
          .object({
            run: z.int(),
            snapshot: snapshotId,
            version: z.string(),
            percent: z.number(),
            scope: z.string().nullable(),
          })
          .nullable()
          .describe('A candidate that a few get'),
      }),
    ),
  })
  .meta({ id: 'PolicySummary' });

export const policyPage = pageOf(policySummary).meta({ id: 'PolicyPage' });

const servedCanary = z
  .object({
    run: z.int(),
    holdsSeconds: z
      .int()
      .describe('Who has not been able to ask for so long goes back to `stable` by itself'),
    stable: z
      .object({ snapshot: snapshotId, version: z.string(), bodyDigest })
      .nullable()
      .describe('What everyone else has; null before the first rule'),
  })
  .meta({ id: 'ServedCanary' });

export const manifest = pageOf(
  inChannel
    .extend({
      id: policyId,
      etag: z.string().nullable(),
      canary: servedCanary.nullable().describe('Set when the snapshot is a candidate on trial'),
    })
    .meta({ id: 'ManifestItem' }),
)
  .extend({ channel })
  .meta({ id: 'Manifest' });

export const historyPage = pageOf(
  z
    .object({
      index: z.int(),
      at: timestamp,
      actor: z.string(),
      action: z.string(),
      channel,
      snapshot: snapshotId,
      version: z.string(),
      gen: z.int(),
      before: snapshotId.nullable(),
      effectiveAt: timestamp.nullable(),
      reason: z.string().nullable(),
      requestId: z.string(),
    })
    .meta({ id: 'HistoryItem' }),
).meta({ id: 'HistoryPage' });

export const ruleDiff = z
  .object({
    from: z.object({ snapshot: snapshotId, version: z.string() }),
    to: z.object({ snapshot: snapshotId, version: z.string() }),
    changes: z.array(
      z.object({
        op: z.enum(['add', 'remove', 'replace']),
        pointer: z.string().describe('RFC 6901'),
        before: z.json().optional(),
        after: z.json().optional(),
      }),
    ),
  })
  .meta({ id: 'RuleDiff' });

export const rule = z
  .looseObject({ id: policyId, version: z.string() })
  .meta({ id: 'Rule', description: 'The YAML document as JSON, with every field the rule has' });

export const snapshotPage = pageOf(snapshot).meta({ id: 'SnapshotPage' });

export const attachment = z
  .object({
    name: z.string(),
    digest,
    contentType: z.string(),
    sizeBytes: z.int(),
    at: timestamp,
    actor: z.string(),
  })
  .meta({ id: 'Attachment' });

export const storedAttachment = attachment
  .extend({ status: z.enum(['stored', 'unchanged']) })
  .meta({ id: 'StoredAttachment' });

export const attachmentPage = pageOf(attachment).meta({ id: 'AttachmentPage' });
