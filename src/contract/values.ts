import * as z from 'zod';
import { channels } from '../core/policies/channel.ts';
import { partnerNamePattern } from '../core/partners/check-partner.ts';
import { policyIdPattern } from '../core/policies/policy-id.ts';

export const channel = z.enum(channels).meta({ id: 'Channel' });

export const policyId = z
  .string()
  .regex(policyIdPattern, 'a policy id is 1 to 128 letters, digits, dots, dashes or underscores')
  .meta({ description: 'The policy, such as `epa-pm25-limit`', example: 'epa-pm25-limit' });

export const snapshotId = z.string().meta({
  description: '`v<UTC minute of the first store>-<first 8 hex digits of the digest>`',
  example: 'v2024-06-10-1830-9f86d081',
});

export const snapshotName = z
  .string()
  .regex(/^[A-Za-z0-9.+:-]{1,160}$/, 'a snapshot id, a prefix of one, `sha256:<hex>` or a version')
  .meta({
    description: 'A snapshot id or a unique prefix of one, `sha256:<hex>`, or a version',
    example: 'v2024-06-10-1830-9f86d081',
  });

const notATime = 'an RFC 3339 time with a zone, such as 2024-06-10T18:30:00Z';

export const timestamp = z.iso
  .datetime({ offset: true, error: notATime })
  // An offset may lead out of the four-digit years, which sort as text.
  .refine((text) => /^\d{4}-/.test(new Date(Date.parse(text) || 0).toISOString()), notATime)
  .meta({ description: 'RFC 3339' });

/** For whom a caller asks that is trusted to speak for others (scope `act:subject`). */
export const readerHeaders = {
  'x-subject': z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, 'a subject of 1 to 256 printable characters without spaces')
    .optional()
    .describe('For whom the rule is asked; needs the scope `hms/act:subject`'),
  'x-region': z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'a region of 1 to 64 letters, digits, dashes or underscores')
    .optional()
    .describe('The region of that subject; needs the scope `hms/act:subject`'),
} as const;

export const runNumber = z.int().meta({ description: '1, 2, 3 … per tenant', example: 184 });

/** A run in a path. Only its plain form: no two addresses for one run. */
export const runInPath = z
  .string()
  .regex(/^[1-9]\d{0,11}$/, 'the number of a run')
  .meta({ description: 'The number of the run', example: '184' })
  .transform(Number);

export const partnerName = z
  .string()
  .regex(partnerNamePattern, 'a partner is named by 1 to 63 of a-z 0-9 -, and no - first')
  .meta({ example: 'epa-region-3' });

export const ticketId = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'the id of a ticket')
  .meta({ example: 'run-184-approval' });

/** `Last-Event-ID` of a stream. */
export const eventId = z
  .string()
  .regex(/^(?:-1|\d{1,12})$/, 'a journal index: the `id:` of a message, or -1 for the beginning');

/** `Last-Event-ID` of a stream of several journals. */
export const journalPositions = z
  .string()
  .regex(
    /^(?:-1|\d{1,12})(?:\.(?:-1|\d{1,12})){0,15}$/,
    'an index for each journal, dots between: the `id:` of a message, or -1 for the beginning',
  );

const quotedKey = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * `Idempotency-Key`: a quoted string, as draft-ietf-httpapi-idempotency-key-header-07 has it, or the
 * same without the quotes, as most clients send it.
 */
export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]+$/, 'printable ASCII characters')
  .transform((text, context) => {
    const key = text.startsWith('"') ? quotedKey.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1') : text;
    if (key !== undefined && key.length > 0 && key.length <= 255) return key;
    context.addIssue('a key of 1 to 255 characters, with quotes around it or none');
    return z.NEVER;
  })
  .meta({ description: 'Chosen by the caller: a repeat with the same key is not another request' });

/** Well-formed text of one line, which may be put into a sentence. */
export function oneLine(maxChars: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxChars)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'one line without control characters');
}

/** Why a change is made: kept in the journal, sent with the event. */
export const reason = oneLine(500);

export const digest = z.string().meta({
  description: '`sha256:` and 64 hex digits: of the exact stored bytes',
});

/** `limit` and `cursor` of a list, with the list's own default and maximum. */
export function paging(defaultLimit: number, maxLimit: number) {
  return {
    limit: z.coerce.number().int().min(1).max(maxLimit).default(defaultLimit),
    cursor: z.string().min(1).max(512).optional().meta({
      description: '`next` of the page before',
    }),
  };
}

/** A page: `next` is the cursor of the page after it, or null at the end. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
