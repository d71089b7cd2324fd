import * as z from 'zod';
import { jobLimits } from '../core/jobs/job-limits.ts';
import { jobPriorities, jobStatuses, jobTypePattern } from '../core/jobs/job-record.ts';
import type { Json } from '../core/values/json.ts';
import { pageOf, reason, timestamp } from './values.ts';

export const jobStatus = z.enum(jobStatuses).meta({
  id: 'JobStatus',
  description:
    '`failed`: it waits for its next attempt; `dead`: it waits for a person. `completed`, ' +
    '`rejected` and `cancelled` are for good',
});

const jobPriority = z.enum(jobPriorities);

export const jobType = z
  .string()
  .max(64)
  .regex(jobTypePattern, 'a job type is words of a-z 0-9 with a dot, dash or underscore between')
  .meta({ description: 'What is to be done', example: 'pothole.report' });

/** A job in a path. */
export const jobInPath = z
  .string()
  .regex(/^[0-9a-z-]{20,40}$/, 'the id of a job')
  .meta({ description: 'The id of the job', example: '019c2f3e-7a10-7c31-9a5b-0c5d1f6e2ab4' });

/**
 * What was parsed as JSON, taken as it is: all that may be wrong with it is a number that no double
 * can hold. Much faster than `z.json()`, which builds it anew.
 */
export const jobJson = z.custom<Json>((value) => value !== undefined && isFiniteJson(value), {
  error: ({ input }) =>
    input === undefined ? 'is missing' : 'holds a number that is too large; send it as text',
});

/** Depth is bounded by the parser. */
function isFiniteJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return (Array.isArray(value) ? value : Object.values(value)).every(isFiniteJson);
}

export const newJob = z
  .strictObject({
    type: jobType,
    data: jobJson.describe(`Any JSON, of at most ${jobLimits.maxDataBytes} bytes`),
    priority: jobPriority.default('normal'),
    notBefore: timestamp.optional().describe('Not started before then; within 90 days'),
    delaySeconds: z
      .int()
      .min(0)
      .max(jobLimits.maxDelayMs / 1000)
      .optional()
      .describe('The same, from now on'),
    maxAttempts: z.int().min(1).max(25).optional().describe('As its worker has it, else 5'),
    reason: reason.optional(),
  })
  .refine(({ notBefore, delaySeconds }) => notBefore === undefined || delaySeconds === undefined, {
    path: ['delaySeconds'],
    error: 'give `notBefore` or `delaySeconds`, not both',
  })
  .meta({ id: 'NewJob' });

export const enqueuedJob = z
  .object({ id: z.string(), status: z.literal('queued') })
  .meta({ id: 'EnqueuedJob' });

/** What every form of a job tells. */
export const jobCore = {
  id: z.string(),
  number: z.int().describe('Unique per tenant: what is called after the job has it'),
  type: jobType,
  priority: jobPriority,
  actor: z.string().describe('Who enqueued it'),
  subject: z.string().describe('On whose behalf'),
  createdAt: timestamp,
  maxAttempts: z.int(),
} as const;

/** Data, where it is small enough to come along. */
export const jobDataFields = {
  data: jobJson.describe('Null when it is too large to come along'),
  dataSizeBytes: z.int().nullable().describe('Set when it is too large'),
  dataPath: z.string().nullable().describe('Where it is then'),
} as const;

const jobSummary = z
  .object({
    ...jobCore,
    status: jobStatus,
    attempts: z.int().describe('Begun since it was enqueued, or retried by a person'),
    nextAttemptAt: timestamp.nullable().describe('Not before then; null unless it waits'),
    worker: z.string().nullable().describe('Who works on it'),
    leaseUntil: timestamp.nullable().describe('Until when it is that worker’s alone'),
    progress: z
      .object({ percent: z.number(), note: z.string().nullable(), at: timestamp })
      .nullable()
      .describe('Of the latest attempt; 100 when the job has completed'),
    error: z
      .object({
        code: z.string().describe('`handler_failed`, `timeout`, `lease_lost`, `rejected` …'),
        message: z.string(),
        validator: z.string().nullable().describe('The one that rejected it'),
      })
      .nullable()
      .describe('Why the latest attempt did not complete it'),
    endedAt: timestamp.nullable(),
  })
  .meta({ id: 'JobSummary' });

export const jobSummaryPage = pageOf(jobSummary).meta({ id: 'JobSummaryPage' });

/** What `GET /jobs/{job}` answers. */
export const job = jobSummary
  .extend({
    ...jobDataFields,
    log: z.string().describe('The journal that tells of it, for `?log=` of the audit'),
    result: jobJson.describe('What its worker answered; null before that'),
    history: z
      .array(
        z.object({
          at: timestamp,
          status: jobStatus,
          attempt: z.int().describe('0 before the first'),
          by: z.string(),
          detail: z.string().nullable(),
        }),
      )
      .describe(`The latest ${jobLimits.maxHistory} steps, oldest first`),
  })
  .meta({ id: 'Job' });
