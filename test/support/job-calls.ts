import { expect } from 'vitest';
import type * as z from 'zod';
import { jobMessage } from '../../src/contract/job-events.ts';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { workerOperations } from '../../src/contract/operations/worker-operations.ts';
import { type EventStream, openEvents, type StreamMessage } from './event-stream.ts';
import type { Service } from './service.ts';
import type { BodyOf, ServiceClient } from './service-client.ts';

export type JobPage = BodyOf<typeof jobOperations.getJob>;
export type LeasedJob = BodyOf<typeof workerOperations.leaseJobs>['jobs'][number];
export type JobMessage = z.output<typeof jobMessage>;

type Fields = Readonly<Record<string, unknown>>;

/** Functions that were not called for a while take their time to begin. */
const patienceMs = 45_000;
const pauseMs = 50;

/** Hands a job in, with `data: null` unless given, and answers its id. */
export async function enqueue(
  client: ServiceClient,
  job: Fields & { readonly type: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const json = { data: null, ...job };
  const { status, body } = await client.call(jobOperations.enqueueJob, { json, headers });
  expect([status, body.status]).toEqual([202, 'queued']);
  return body.id;
}

export async function readJob(client: ServiceClient, job: string): Promise<JobPage> {
  return (await client.call(jobOperations.getJob, { params: { job } })).body;
}

/** The page of a job as soon as it is as wanted. */
export async function jobUntil(
  client: ServiceClient,
  job: string,
  wanted: (page: JobPage) => boolean,
): Promise<JobPage> {
  for (const startMs = performance.now(); ;) {
    const page = await readJob(client, job);
    if (wanted(page)) return page;
    if (performance.now() - startMs > patienceMs) {
      throw new Error(`job ${job} stays ${page.status}: ${JSON.stringify(page.history)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

export function endedJob(client: ServiceClient, job: string): Promise<JobPage> {
  return jobUntil(client, job, ({ endedAt }) => endedAt !== null);
}

/** Leases jobs of a type as soon as there is one. */
export async function lease(
  client: ServiceClient,
  type: string,
  wish: Fields = {},
): Promise<readonly LeasedJob[]> {
  const json = { types: [type], ...wish };
  return (await client.call(workerOperations.leaseJobs, { json })).body.jobs;
}

/** Leases the one job of a type that there is, or that comes. */
export async function leaseOne(
  client: ServiceClient,
  type: string,
  wish: Fields = {},
): Promise<LeasedJob> {
  const [leased, ...more] = await lease(client, type, { waitSeconds: 10, ...wish });
  if (leased === undefined) throw new Error(`there is no job of type ${type}`);
  expect(more).toEqual([]);
  return leased;
}

/** Completes what was leased. */
export async function complete(client: ServiceClient, leased: LeasedJob, told: Fields = {}) {
  return client.call(workerOperations.completeJob, reportOf(leased, told));
}

/** Ends the attempt otherwise: `{message}` or `{reject}`. */
export async function fail(client: ServiceClient, leased: LeasedJob, told: Fields) {
  return client.call(workerOperations.failJob, reportOf(leased, told));
}

/** What a call of a worker about a job takes. */
export function reportOf({ id, lease: held }: LeasedJob, told: Fields = {}) {
  return { params: { job: id }, json: { lease: held, ...told } };
}

/** Every entry about a job, oldest first, in whichever log it is. */
export async function journalOfJob(auditor: ServiceClient, { jobLogs }: Service, job: string) {
  const logs = Array.from({ length: jobLogs }, async (_, number) => {
    const query = { log: `jobs-${number}`, subject: `job:${job}`, limit: 200 };
    const { body } = await auditor.call(queryOperations.getAudit, { query });
    if (body.next !== null) throw new Error(`the journal of ${job} is longer than a page`);
    return body.items;
  });
  return (await Promise.all(logs)).flat();
}

/** Somebody who listens to a stream of jobs, and comes back when it ends. */
export interface JobListener {
  /** Waits until what was heard is as wanted, and answers it. */
  readonly until: (
    wanted: (heard: readonly StreamMessage<JobMessage>[]) => boolean,
  ) => Promise<readonly StreamMessage<JobMessage>[]>;
  readonly close: () => void;
}

/** Resolves when the stream is open: what happens from now on will be heard. */
export async function listenToJobs(
  { baseUrl, token }: Service,
  path: string,
): Promise<JobListener> {
  const open = async (lastEventId?: string) =>
    openEvents(baseUrl + path, await token('demo-service'), jobMessage, lastEventId);
  const before: StreamMessage<JobMessage>[] = [];
  let stream: EventStream<JobMessage> = await open();
  return {
    close: () => stream.close(),
    async until(wanted) {
      for (const startMs = performance.now(); ;) {
        const heard = [...before, ...stream.messages];
        if (wanted(heard)) return heard;
        if (performance.now() - startMs > patienceMs) {
          throw new Error(`heard only ${JSON.stringify(heard)}`);
        }
        const pause = new Promise((resolve) => setTimeout(() => resolve('open'), pauseMs));
        if ((await Promise.race([stream.ended, pause])) === 'open') continue;
        before.push(...stream.messages);
        stream = await open(stream.position());
      }
    },
  };
}
