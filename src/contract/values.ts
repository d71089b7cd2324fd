import * as z from 'zod';
import { channels } from '../core/policies/channel.ts';
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

/** Why a change is made: kept in the journal, sent with the event. */
export const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, 'one line without control characters');

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
