import * as z from 'zod';
import { jobLimits } from '../../core/jobs/job-limits.ts';
import { jobInPath } from '../job-schemas.ts';
import type { Operation } from '../operation.ts';
import {
  completedJob,
  failedJob,
  jobCompletion,
  jobFailure,
  jobHeartbeat,
  jobProgress,
  keptLease,
  leasedJobs,
  leaseWish,
} from '../worker-schemas.ts';

const none = z.object({});
const oneJob = z.object({ job: jobInPath });
/** Result and events as large as they may be, and some room for white space. */
const maxCompletionBytes = 2 * (jobLimits.maxResultBytes + jobLimits.maxEmittedBytes);

/** What workers outside call, in any language: each attempt is a lease, and each call about it names it. */
export const workerOperations = {
  leaseJobs: {
    id: 'leaseJobs',
    method: 'post',
    path: '/jobs/lease',
    part: 'jobs',
    scope: 'work:job',
    tag: 'Workers',
    summary: 'Begin to work on jobs: each is the caller’s alone until its lease ends',
    description:
      'Of the highest priority first. Answers as soon as there is a job, or none when the time is ' +
      'up. A lease that ends unreported gives the job to another; types that the service works on by ' +
      'itself are not leased.',
    params: none,
    query: none,
    headers: none,
    body: { kind: 'json', schema: leaseWish },
    responses: { 200: { description: 'The jobs, or none', schema: leasedJobs } },
    problems: ['conflict'],
  },
  heartbeatJob: {
    id: 'heartbeatJob',
    method: 'post',
    path: '/jobs/{job}/heartbeat',
    part: 'jobs',
    scope: 'work:job',
    tag: 'Workers',
    summary: 'Keep a lease: the work goes on',
    params: oneJob,
    query: none,
    headers: none,
    body: { kind: 'json', schema: jobHeartbeat },
    responses: { 200: { description: 'Kept', schema: keptLease } },
    problems: ['not_found', 'lease_lost'],
  },
  reportProgress: {
    id: 'reportProgress',
    method: 'post',
    path: '/jobs/{job}/progress',
    part: 'jobs',
    scope: 'work:job',
    tag: 'Workers',
    summary: 'Tell how far the work has come; keeps the lease as a heartbeat does',
    params: oneJob,
    query: none,
    headers: none,
    body: { kind: 'json', schema: jobProgress },
    responses: { 200: { description: 'Told, and kept', schema: keptLease } },
    problems: ['not_found', 'lease_lost', 'conflict'],
  },
  completeJob: {
    id: 'completeJob',
    method: 'post',
    path: '/jobs/{job}/complete',
    part: 'jobs',
    scope: 'work:job',
    tag: 'Workers',
    summary: 'The job is done: keep its result, and publish its events',
    params: oneJob,
    query: none,
    headers: none,
    body: { kind: 'json', schema: jobCompletion, maxBytes: maxCompletionBytes },
    responses: { 200: { description: 'Completed', schema: completedJob } },
    problems: ['not_found', 'lease_lost', 'conflict'],
  },
  failJob: {
    id: 'failJob',
    method: 'post',
    path: '/jobs/{job}/fail',
    part: 'jobs',
    scope: 'work:job',
    tag: 'Workers',
    summary: 'The attempt failed, or the job is not acceptable',
    description:
      'A failed attempt is followed by another, with exponential back-off, until the job has had all ' +
      'of its attempts. With `reject`, the job ends at once, and is never tried again.',
    params: oneJob,
    query: none,
    headers: none,
    body: { kind: 'json', schema: jobFailure },
    responses: { 200: { description: 'What becomes of the job', schema: failedJob } },
    problems: ['not_found', 'lease_lost', 'conflict'],
  },
} as const satisfies Record<string, Operation>;
