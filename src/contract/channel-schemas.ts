import * as z from 'zod';
import { weekdays } from '../core/policies/channel-settings.ts';
import { canaryPlan, canaryWish } from './canary-schemas.ts';
import { channel, reason, timestamp } from './values.ts';

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 17:00');

const weekly = z
  .strictObject({
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .refine((days) => new Set(days).size === days.length, 'each day once')
      .describe('On which it begins'),
    from: timeOfDay,
    to: timeOfDay.describe('The same as `from`, or earlier: on the next day'),
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, 'an IANA time zone such as America/New_York')
      .meta({ example: 'America/New_York' }),
    reason,
  })
  .meta({ id: 'WeeklyBlackout' });

const once = z
  .strictObject({ since: timestamp, until: timestamp, reason })
  .refine(({ since, until }) => Date.parse(since) < Date.parse(until), {
    path: ['until'],
    error: 'must be later than since',
  })
  .meta({ id: 'OneBlackout' });

const blackouts = z
  .array(z.union([weekly, once]))
  .max(50)
  .describe('When no rule moves forward; going back is always possible');

const people = z.int().min(0).max(5).describe('How many must approve a run; 0 for none');

/** How a channel takes new rules, as an administrator writes it. */
export const newChannelSettings = z
  .strictObject({
    staged: z.boolean().default(false).describe('Only by a rollout'),
    quorum: people.default(0),
    blackouts: blackouts.default([]),
    canary: canaryWish.default(null).describe('Of a run that does not say otherwise'),
    reason: reason.optional(),
  })
  .meta({ id: 'NewChannelSettings' });

export const channelSettings = z
  .object({
    channel,
    staged: z.boolean(),
    quorum: people,
    blackouts,
    canary: canaryPlan.nullable(),
  })
  .meta({ id: 'ChannelSettings' });

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en-US', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}
