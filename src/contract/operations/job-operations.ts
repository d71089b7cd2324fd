import * as z from 'zod';
import { jobLimits } from '../../core/jobs/job-limits.ts';
import {
  enqueuedJob,
  job,
  jobInPath,
  jobJson,
  jobStatus,
  jobSummaryPage,
  jobType,
  newJob,
} from '../job-schemas.ts';
import type { Operation } from '../operation.ts';
import {
  eventId,
  idempotencyKey,
  journalPositions,
  paging,
  readerHeaders,
  reason,
} from '../values.ts';

const none = z.object({});
const oneJob = z.object({ job: jobInPath });
const stream = {
  description: 'The stream; a comment line every 15 s keeps it open',
  contentTypes: ['text/event-stream'],
} as const;
const headerWins = 'For clients that cannot set the header; the header wins';

/** Work that is taken on at once, and done when its turn comes. */
export const jobOperations = {
  enqueueJob: {
    id: 'enqueueJob',
    method: 'post',
    path: '/jobs',
    part: 'jobs',
    scope: 'write:job',
    tag: 'Jobs',
    summary: 'Take a job on',
    description:
      'Stored when this answers; done later. Where the service has a worker of the type, the data is ' +
      'checked first. With an `Idempotency-Key`, a repeat of the same request within 7 days answers ' +
      'the same and does nothing.',
    params: none,
    query: none,
    headers: z.object({
      'idempotency-key': idempotencyKey.optional(),
      'x-subject': readerHeaders['x-subject'].describe(
        'On whose behalf, else the caller’s; needs the scope `hms/act:subject`',
      ),
      'x-region': readerHeaders['x-region'],
    }),
    body: { kind: 'json', schema: newJob, maxBytes: jobLimits.maxDataBytes },
    responses: {
      202: {
        description: 'Taken on',
        schema: enqueuedJob,
        headers: {
          Location: 'The job',
          'Idempotent-Replayed': '`true` when the same was asked before',
        },
      },
    },
    problems: ['idempotency_key_reused', 'conflict'],
  },
  listJobs: {
    id: 'listJobs',
    method: 'get',
    path: '/jobs',
    part: 'jobs',
    scope: 'read:job',
    tag: 'Jobs',
    summary: 'Jobs, newest first; those of an open status in the order of their turns',
    description:
      'Open are `queued`, `processing` and `failed`: listed by type, then priority, then time. A ' +
      'page may be short, or empty, while `next` is not null: the search goes on there.',
    params: none,
    query: z.object({
      type: jobType.optional(),
      status: jobStatus.optional(),
      ...paging(50, 200),
    }),
    headers: none,
    responses: { 200: { description: 'A page', schema: jobSummaryPage } },
    problems: [],
  },
  getJob: {
    id: 'getJob',
    method: 'get',
    path: '/jobs/{job}',
    part: 'jobs',
    scope: 'read:job',
    tag: 'Jobs',
    summary: 'A job: its status, progress, result or error, and history',
    description: 'An ended job can be looked at for 90 days; the journal keeps its steps.',
    params: oneJob,
    query: none,
    headers: none,
    responses: { 200: { description: 'The job', schema: job } },
    problems: ['not_found'],
  },
  getJobData: {
    id: 'getJobData',
    method: 'get',
    path: '/jobs/{job}/data',
    part: 'jobs',
    scope: 'read:job',
    tag: 'Jobs',
    summary: 'The data of a job, of whatever size',
    params: oneJob,
    query: none,
    headers: none,
    responses: { 200: { description: 'The data', schema: jobJson } },
    problems: ['not_found'],
  },
  retryJob: {
    id: 'retryJob',
    method: 'post',
    path: '/jobs/{job}/retry',
    part: 'jobs',
    scope: 'write:job',
    tag: 'Jobs',
    summary: 'Have a dead job tried again, or one that has failed at once',
    description: 'Its attempts count from the beginning. One that is queued stays as it is.',
    params: oneJob,
    query: none,
    headers: none,
    body: {
      kind: 'json',
      optional: true,
      schema: z.strictObject({ reason: reason.optional() }),
    },
    responses: { 200: { description: 'The job', schema: job } },
    problems: ['not_found', 'job_not_open', 'conflict'],
  },
  cancelJob: {
    id: 'cancelJob',
    method: 'delete',
    path: '/jobs/{job}',
    part: 'jobs',
    scope: 'write:job',
    tag: 'Jobs',
    summary: 'Give a job up: nothing of what a worker does for it from now on is kept',
    description: 'Also one that is dead. One that was cancelled stays so.',
    params: oneJob,
    query: none,
    headers: z.object({ 'x-reason': reason.optional() }),
    responses: { 200: { description: 'The job', schema: job } },
    problems: ['not_found', 'job_not_open', 'conflict'],
  },
  streamJob: {
    id: 'streamJob',
    method: 'get',
    path: '/jobs/{job}/events',
    part: 'stream',
    scope: 'read:job',
    tag: 'Jobs',
    summary: 'A job step by step, as it happens (Server-Sent Events)',
    description:
      '`id:` is the index in the journal of the job; `data:` is a `JobMessage`. It begins with the ' +
      'first step, or after `Last-Event-ID`, and ends by itself when the job has ended.',
    params: oneJob,
    query: z.object({ lastEventId: eventId.optional().describe(headerWins) }),
    headers: z.object({ 'last-event-id': eventId.optional() }),
    responses: {
      200: stream,
      204: { description: 'The caller has seen the end of the job: do not come back' },
    },
    problems: ['not_found', 'unavailable'],
  },
  streamJobs: {
    id: 'streamJobs',
    method: 'get',
    path: '/api/stream/jobs',
    part: 'stream',
    scope: 'read:job',
    tag: 'Jobs',
    summary: 'Every step of every job, and all they emit, as it happens (Server-Sent Events)',
    description:
      '`id:` is the position in each journal of jobs, with dots between; `data:` is a `JobMessage`. ' +
      'Reconnect with `Last-Event-ID` and nothing is missed. Without it, the stream begins with the ' +
      'next step. Steps of one job come in order.',
    params: none,
    query: z.object({
      type: jobType.optional().describe('All types of jobs unless named'),
      lastEventId: journalPositions.optional().describe(headerWins),
    }),
    headers: z.object({ 'last-event-id': journalPositions.optional() }),
    responses: { 200: stream },
    problems: ['unavailable'],
  },
} as const satisfies Record<string, Operation>;
