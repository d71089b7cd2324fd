import * as z from 'zod';
import type { JobAction } from '../core/jobs/change-job.ts';
import { jobPriorities } from '../core/jobs/job-record.ts';
import { jobJson, jobStatus, jobType } from './job-schemas.ts';
import { timestamp } from './values.ts';

const jobActions = [
  'job.queued',
  'job.started',
  'job.progressed',
  'job.completed',
  'job.rejected',
  'job.failed',
  'job.dead',
  'job.cancelled',
  'job.retried',
] as const satisfies readonly JobAction[];

const entry = {
  tenant: z.string(),
  job: z.string().describe('Its id'),
  index: z.int().describe('The entry in the journal of the job'),
  at: timestamp,
} as const;

/** A step of a job. What was stored together with it may tell more. */
export const jobChange = z
  .looseObject({
    ...entry,
    action: z.enum(jobActions),
    type: jobType,
    status: jobStatus,
    attempt: z.int(),
    number: z.int().optional().describe('Not with `job.queued`'),
    actor: z.string(),
    reason: z.string().nullable(),
    priority: z.enum(jobPriorities).optional().describe('With `job.queued`, as the next three'),
    subject: z.string().optional().describe('On whose behalf'),
    notBefore: timestamp.nullable().optional(),
    dataDigest: z.string().optional().describe('SHA-256 of the data, in hex'),
    worker: z.string().optional().describe('With `job.started`'),
    progress: z
      .object({ percent: z.number(), note: z.string().nullable() })
      .optional()
      .describe('With `job.progressed`'),
    result: jobJson.optional().describe('With `job.completed`'),
    error: z
      .object({ code: z.string(), message: z.string(), validator: z.string().nullable() })
      .optional()
      .describe('With `job.rejected`, `job.failed` and `job.dead`'),
    nextAttemptAt: timestamp.optional().describe('With `job.failed`'),
  })
  .meta({ id: 'JobChange' });

/** What the completion of a job told besides, such as `case.opened`. */
export const jobEmission = z
  .object({
    ...entry,
    action: z
      .string()
      .regex(/^(?!(?:job|policy|run|delivery)\.)/)
      .describe('As its worker called it'),
    subject: z.string().describe('What it is about, such as `CASE-7`'),
    data: jobJson,
  })
  .meta({ id: 'JobEmission' });

/** A message of the streams of jobs, and `data` of an event about one. */
export const jobMessage = z.union([jobChange, jobEmission]).meta({ id: 'JobMessage' });

/** CloudEvents 1.0, in JSON: the `detail` of an EventBridge event. */
export const jobEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('A repeat has the same'),
    source: z.literal('hms.jobs'),
    type: z
      .string()
      .describe(
        '`job.completed`, `job.rejected`, `job.dead`, `job.cancelled`, or what a job emitted',
      ),
    subject: z.string().describe('`job:` and the id, or what an emitted event is about'),
    time: timestamp,
    datacontenttype: z.literal('application/json'),
    data: jobMessage,
  })
  .meta({ id: 'JobEvent' });
