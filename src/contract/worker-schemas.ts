import * as z from 'zod';
import { jobCore, jobDataFields, jobJson, jobStatus, jobType } from './job-schemas.ts';
import { oneLine, timestamp } from './values.ts';

const leaseToken = z
  .string()
  .regex(/^[0-9a-z-]{20,40}$/, 'the `lease` that came with the job')
  .describe('That came with the job');

const leaseSeconds = z.int().min(5).max(3600).default(60);

export const leaseWish = z
  .strictObject({
    types: z.array(jobType).min(1).max(20),
    limit: z.int().min(1).max(20).default(1),
    leaseSeconds: leaseSeconds.describe('How long each is the caller’s alone'),
    waitSeconds: z.int().min(0).max(20).default(0).describe('For a job, when there is none'),
  })
  .meta({ id: 'LeaseWish' });

export const leasedJobs = z
  .object({
    jobs: z.array(
      z
        .object({
          ...jobCore,
          ...jobDataFields,
          traceparent: z
            .string()
            .optional()
            .describe('W3C trace context of the call that enqueued it: the work may go on in it'),
          attempt: z.int().describe('1 for the first'),
          lease: z.string().describe('Names the attempt to all calls about it; a secret'),
          leaseUntil: timestamp,
        })
        .meta({ id: 'LeasedJob' }),
    ),
  })
  .meta({ id: 'LeasedJobs' });

const renewal = leaseSeconds.describe('From now on, unless it lasts longer already');

export const jobHeartbeat = z
  .strictObject({ lease: leaseToken, leaseSeconds: renewal })
  .meta({ id: 'JobHeartbeat' });

export const jobProgress = z
  .strictObject({
    lease: leaseToken,
    percent: z.number().min(0).max(100),
    note: oneLine(200).optional(),
    leaseSeconds: renewal,
  })
  .meta({ id: 'JobProgress' });

export const keptLease = z.object({ leaseUntil: timestamp }).meta({ id: 'KeptLease' });

const reserved = /^(?:job|policy|run|delivery)\./;

export const jobCompletion = z
  .strictObject({
    lease: leaseToken,
    result: jobJson.default(null).describe('At most 64 KiB'),
    events: z
      .array(
        z.strictObject({
          type: z
            .string()
            .max(100)
            .regex(/^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/, 'an event type is such as case.opened')
            .refine(
              (type) => !reserved.test(type),
              'job., policy., run. and delivery. are events of the service itself',
            ),
          subject: oneLine(256).describe('What it is about, such as `CASE-7`'),
          data: jobJson,
        }),
      )
      .max(20)
      .default([])
      .describe('Published with the completion; at most 100 KiB together'),
  })
  .meta({ id: 'JobCompletion' });

const why = z.string().min(1).max(10_000).describe('One line of it is kept, of 500 characters');

export const jobFailure = z
  .union([
    z.strictObject({
      lease: leaseToken,
      message: why,
      code: z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,63}$/, 'a code is such as address_unknown')
        .default('handler_failed')
        .describe('For machines'),
      final: z.boolean().default(false).describe('Do not try again: the job is dead'),
      retryAfterSeconds: z
        .int()
        .min(0)
        .max(86_400)
        .default(0)
        .describe('Wait at least so long before the next attempt'),
    }),
    z.strictObject({
      lease: leaseToken,
      reject: z
        .strictObject({ validator: oneLine(64), reason: why })
        .describe('The job is not acceptable, and is never tried again'),
    }),
  ])
  .meta({ id: 'JobFailure' });

export const completedJob = z.object({ status: jobStatus }).meta({ id: 'CompletedJob' });

export const failedJob = z
  .object({
    status: jobStatus.describe('`failed`, `dead` or `rejected`'),
    nextAttemptAt: timestamp.nullable(),
  })
  .meta({ id: 'FailedJob' });
