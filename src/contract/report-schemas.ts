import * as z from 'zod';
import { problems } from './problems.ts';
import type { ErrorCode } from '../core/errors/app-error.ts';
import { channel, oneLine, policyId, runNumber, snapshotId, timestamp } from './values.ts';

/** Only the whole name of a snapshot: what a service runs, it has from us. */
const ranSnapshot = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,64}$/, 'the id of a snapshot, as the `ETag` has it')
  .meta({ description: 'What the service ran, as the `ETag` has it' });

export const newAlert = z
  .strictObject({
    policy: policyId,
    channel: channel.default('prod'),
    snapshot: ranSnapshot,
    fingerprint: oneLine(200).describe('The same for what is the same trouble, whoever has it'),
    severity: z.enum(['info', 'warning', 'critical']),
    message: z
      .string()
      .max(1000)
      .refine((text) => text.isWellFormed(), 'half a character'),
  })
  .meta({ id: 'NewAlert' });

const arm = z.enum(['canary', 'stable']).describe('Whose rule it is: the candidate, or the other');
const countsFor = runNumber.nullable().describe('The run whose canary it counts for');

export const countedAlert = z
  .object({
    arm,
    run: countsFor,
    new: z.boolean().describe('From the canary, and not seen beside it in the last 24 h'),
  })
  .meta({ id: 'CountedAlert' });

const receipt = {
  policy: policyId,
  channel: channel.default('prod'),
  snapshot: ranSnapshot,
  status: z
    .enum(['applied', 'refused'])
    .describe('`applied`: the service runs it now; `refused`: it cannot'),
  reason: oneLine(1000).optional().describe('Why it was refused'),
  decisions: z
    .int()
    .min(0)
    .max(1e9)
    .optional()
    .describe('Made under this snapshot since the last report of them'),
} as const;
const reportId = oneLine(128)
  .optional()
  .describe('Of a report that may be sent again: the same one after the other counts once');

/** One receipt, or several of one service. */
export const newReceipts = z
  .union([
    z.strictObject({ ...receipt, reportId }).meta({ id: 'NewReceipt' }),
    z
      .strictObject({
        receipts: z
          .array(z.strictObject(receipt))
          .min(1)
          .max(100)
          .describe('Of one policy and channel, the last is what the service stands on'),
        reportId,
      })
      .meta({ id: 'NewReceipts' }),
  ])
  .meta({ id: 'Report' });

const about = { policy: policyId, channel, snapshot: z.string() } as const;

export const receiptAnswers = z
  .object({
    receipts: z
      .array(
        z.discriminatedUnion('status', [
          z
            .object({
              ...about,
              status: z.enum(['recorded', 'repeated']),
              arm: arm.nullable(),
              run: countsFor,
            })
            .meta({ id: 'ReceiptTaken' }),
          z
            .object({
              ...about,
              status: z.literal('failed'),
              code: z.enum(Object.keys(problems) as [ErrorCode, ...ErrorCode[]]),
              detail: z.string(),
            })
            .meta({ id: 'ReceiptFailed' }),
        ]),
      )
      .describe('In the order of the report'),
  })
  .meta({ id: 'ReceiptAnswers' });

export const convergence = z
  .object({
    id: policyId,
    channel,
    snapshot: snapshotId,
    version: z.string(),
    since: timestamp.describe('When the rule came into force'),
    services: z.int().describe('Heard of lately, but for those that run a canary'),
    applied: z.int(),
    refused: z.int(),
    share: z.number().nullable().describe('`applied` of `services`, 0 to 1'),
    convergedAfterMs: z
      .number()
      .nullable()
      .describe('From `since` until the last of those that applied it said so'),
    laggards: z
      .array(
        z.object({
          service: z.string(),
          snapshot: snapshotId.describe('What it last told of'),
          status: z.enum(['applied', 'refused']),
          reason: z.string().nullable(),
          at: timestamp,
        }),
      )
      .describe('At most 100: those that refused it first, then those silent for longest'),
    activeWithinMs: z.int().describe('What `lately` means'),
    canary: z
      .object({ run: runNumber, snapshot: snapshotId, applied: z.int(), refused: z.int() })
      .nullable(),
  })
  .meta({ id: 'Convergence' });
