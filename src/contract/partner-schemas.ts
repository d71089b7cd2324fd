import * as z from 'zod';
import { noticeKinds } from '../core/partners/delivery.ts';
import {
  channel,
  digest,
  pageOf,
  partnerName,
  policyId,
  runNumber,
  snapshotId,
  timestamp,
} from './values.ts';

const maxSecretChars = 16 * 1024;
const secret = z.string().min(1).max(maxSecretChars);

const webhook = { kind: z.literal('webhook'), url: z.string().max(2048) } as const;
const email = {
  kind: z.literal('email'),
  to: z.array(z.string().max(254)).min(1).max(10),
} as const;
const sftp = {
  kind: z.literal('sftp'),
  host: z.string().max(253),
  port: z.int().min(1).max(65_535).default(22),
  username: z.string().max(128),
  hostKey: z.string().max(50).describe('As `ssh-keygen -lf` prints it: `SHA256:…`'),
  folder: z.string().max(255).describe('Where files go, such as `/incoming`'),
} as const;

/** Secrets are left out where the partner is to keep the one it has. */
export const newPartner = z
  .discriminatedUnion('kind', [
    z
      .strictObject({
        ...webhook,
        secret: secret
          .optional()
          .describe('What it is signed with: `whsec_` and the base64 of 24 to 64 random bytes'),
      })
      .meta({ id: 'NewWebhook' }),
    z.strictObject(email).meta({ id: 'NewEmail' }),
    z
      .strictObject({
        ...sftp,
        privateKey: secret.regex(/^-----BEGIN /, 'a private key in PEM or OpenSSH form').optional(),
        password: secret
          .refine((text) => !text.trimStart().startsWith('-----BEGIN '), 'a key is `privateKey`')
          .optional(),
      })
      .refine(({ privateKey, password }) => privateKey === undefined || password === undefined, {
        path: ['password'],
        error: 'give it or the private key, not both',
      })
      .meta({ id: 'NewSftp' }),
  ])
  .meta({ id: 'NewPartner' });

const kept = {
  name: partnerName,
  createdAt: timestamp,
  createdBy: z.string(),
  changedAt: timestamp,
} as const;

/** Never with its secret. */
export const partner = z
  .discriminatedUnion('kind', [
    z.object({ ...kept, ...webhook }).meta({ id: 'Webhook' }),
    z.object({ ...kept, ...email }).meta({ id: 'Email' }),
    z.object({ ...kept, ...sftp, port: z.int() }).meta({ id: 'Sftp' }),
  ])
  .meta({ id: 'Partner' });

export const partnerPage = pageOf(partner).meta({ id: 'PartnerPage' });

export const noticeKind = z
  .enum(noticeKinds)
  .describe('`restored`: who had been told of a release hears that it was taken back');

export const deliveryStatus = z
  .enum(['pending', 'retrying', 'delivered', 'acked', 'exhausted', 'collapsed', 'gone'])
  .meta({
    id: 'DeliveryStatus',
    description: '`collapsed`: a newer notice replaced it; `gone`: the partner wants no more',
  });

export const delivery = z
  .object({
    id: z.string().describe('The same for every attempt: by it the partner tells a repeat'),
    run: runNumber,
    partner: partnerName,
    kind: noticeKind,
    channel,
    policies: z.array(
      z.object({
        id: policyId,
        snapshot: snapshotId,
        version: z.string(),
        digest,
        gen: z.int(),
      }),
    ),
    status: deliveryStatus,
    attempts: z
      .array(
        z.object({
          outcome: z.enum(['delivered', 'acked', 'gone', 'failed']),
          detail: z.string(),
          at: timestamp,
        }),
      )
      .describe('The latest 16, oldest first'),
    nextAttemptAt: timestamp.nullable(),
    deadlineAt: timestamp,
    createdAt: timestamp,
  })
  .meta({ id: 'Delivery' });

export const deliveryPage = pageOf(delivery).meta({ id: 'DeliveryPage' });
