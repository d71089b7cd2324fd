import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { AppError, Conflict, TooLarge } from '../errors/app-error.ts';
import type { Decision, Tally } from '../journal/commit.ts';
import type { JournalEntry, Origin } from '../journal/journal-entry.ts';
import { sha256Hex } from '../packages/digest.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import { type JobDeps, stepOf, tallyOf } from './change-job.ts';
import {
  idempotencyKey,
  jobKey,
  jobNumber,
  jobSubject,
  journalOfJob,
  type KeptKey,
  openJobKey,
  typeOfTally,
} from './job-keys.ts';
import { jobLimits } from './job-limits.ts';
import type { JobDataRef, JobPriority, JobRecord } from './job-record.ts';

export interface NewJob {
  readonly type: string;
  readonly data: Json;
  readonly priority: JobPriority;
  /** Unix ms before which it is not started; null: at once. */
  readonly notBeforeMs: number | null;
  readonly maxAttempts: number;
  /** On whose behalf. */
  readonly subject: string;
  /** Of that subject, where the caller's token or a trusted caller tells. */
  readonly region?: string | undefined;
  readonly idempotencyKey: string | null;
  readonly reason: string | null;
}

/** What is to be stored together with a job, such as the claim that it is to review. */
export interface BesidesJob {
  /** The job is kept for good, as what is stored with it is. */
  readonly isKept?: true;
  readonly facts?: Readonly<Record<string, Json>>;
  readonly writes: (job: Pick<JobRecord, 'id' | 'number' | 'createdAt'>) => readonly RecordWrite[];
}

export interface EnqueuedJob {
  /** `known`: the same was asked before, under the same idempotency key. */
  readonly status: 'queued' | 'known';
  readonly id: string;
  readonly number: number;
}

type EnqueueDeps = JobDeps & Pick<Deps, 'blobs'>;

/**
 * Stores a job in one commit. What puts it into the queue comes after: see `sendJob`.
 * Errors: `TooLarge`; `idempotency_key_reused` for a key that was used for something else;
 * `too_many_requests` when the tenant has too many open jobs; those of `commit`.
 */
export async function enqueueJob(
  deps: EnqueueDeps,
  origin: Origin,
  asked: NewJob,
  besides?: BesidesJob,
): Promise<EnqueuedJob> {
  const { tenant } = origin;
  const id = deps.ids.next();
  const bytes = new TextEncoder().encode(JSON.stringify(asked.data));
  const digest = sha256Hex(bytes);
  const dataRef = await keepData(deps, tenant, digest, bytes);
  const journal = journalOfJob({ tenant, id }, deps.jobJournals);
  const key = keptKeyOf(origin, asked, digest);
  return deps.lanes.commit(journal, origin, async (): Promise<Decision<EnqueuedJob>> => {
    const kept = key === null ? undefined : await getRecord(deps, key.key);
    if (key !== null && kept !== undefined) {
      return { kind: 'unchanged', result: await knownJob(deps, tenant, kept.value, key.digest) };
    }
    return {
      kind: 'change',
      entry: {
        action: 'job.queued',
        subject: jobSubject(id),
        before: null,
        after: { ...queuedFacts(asked, digest), ...besides?.facts },
        reason: asked.reason,
      },
      tally: tallyOf(null, { type: asked.type, status: 'queued' }),
      admit: (counts) => checkRoom(counts, asked.type, deps.jobJournals),
      writes: (entry) => {
        const isKept = besides?.isKept === true ? { isKept: true as const } : {};
        const job = { ...firstRecord(deps, origin, asked, { id, dataRef, entry }), ...isKept };
        return [
          {
            kind: 'put',
            key: jobKey({ tenant, id }, deps.jobJournals),
            value: job,
            expect: 'absent',
          },
          { kind: 'put', key: openJobKey(tenant, job), value: { id }, expect: 'absent' },
          ...(key === null ? [] : [keepKey(key, id, entry)]),
          ...(besides?.writes(job) ?? []),
        ];
      },
      result: ({ index }) => ({
        status: 'queued',
        id,
        number: jobNumber(id, index, deps.jobJournals),
      }),
    };
  });
}

/** Puts data that is too large for the record into the blob store. */
async function keepData(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  digest: string,
  bytes: Uint8Array,
): Promise<JobDataRef | null> {
  const sizeBytes = bytes.byteLength;
  const { maxInlineDataBytes, maxDataBytes } = jobLimits;
  if (sizeBytes <= maxInlineDataBytes) return null;
  if (sizeBytes > maxDataBytes) {
    throw new TooLarge(
      `The data of a job has at most ${maxDataBytes} bytes; store it and name it.`,
    );
  }
  await deps.blobs.put({ tenant, digest }, bytes);
  return { digest, sizeBytes };
}

/**
 * Under which key it is kept that this was asked, and what. Not for when: a caller that says "in a
 * minute" says another time when it repeats.
 */
function keptKeyOf({ tenant, actor }: Origin, asked: NewJob, dataDigest: string) {
  if (asked.idempotencyKey === null) return null;
  const { type, priority, maxAttempts, subject } = asked;
  return {
    key: idempotencyKey(tenant, hashOf([actor, asked.idempotencyKey])),
    digest: hashOf([type, priority, maxAttempts, subject, dataDigest]),
  };
}

function hashOf(parts: Json): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(parts)));
}

function keepKey(
  { key, digest }: NonNullable<ReturnType<typeof keptKeyOf>>,
  id: string,
  entry: JournalEntry,
): RecordWrite {
  const value: KeptKey = { id, digest };
  const expiresAtMs = Date.parse(entry.at) + jobLimits.idempotencyMs;
  return { kind: 'put', key, value, expect: 'absent', expiresAtMs };
}

async function knownJob(
  deps: Pick<Deps, 'records' | 'jobJournals'>,
  tenant: string,
  kept: KeptKey,
  digest: string,
): Promise<EnqueuedJob> {
  if (kept.digest !== digest) {
    throw new AppError(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request: use a new one.',
    );
  }
  const found = await getRecord(deps, jobKey({ tenant, id: kept.id }, deps.jobJournals));
  if (found === undefined) throw new Conflict('The job of this key is gone: use a new key.');
  return { status: 'known', id: kept.id, number: found.value.number };
}

/** Back-pressure: a caller is told to wait long before anything breaks. */
function checkRoom(counts: Tally, type: string, jobJournals: number): void {
  const open = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const types = new Set(Object.keys(counts).map(typeOfTally));
  // Jobs are spread evenly over the journals: each takes its share.
  const isFull = open >= jobLimits.maxOpenJobs / jobJournals;
  const isOneTypeTooMany = !types.has(type) && types.size >= jobLimits.maxOpenTypes;
  if (!isFull && !isOneTypeTooMany) return;
  const what = isFull ? 'open jobs' : 'types of open jobs';
  throw new AppError('too_many_requests', `There are too many ${what}: wait for some to end.`, {
    retryable: true,
    retryAfterS: 5,
  });
}

function firstRecord(
  deps: Pick<Deps, 'clock' | 'jobJournals'>,
  { actor, requestId, traceparent }: Origin,
  { type, priority, data, notBeforeMs, maxAttempts, subject, region }: NewJob,
  { id, dataRef, entry }: { id: string; dataRef: JobDataRef | null; entry: JournalEntry },
): JobRecord {
  const state = { status: 'queued', attempts: 0 } as const;
  return {
    id,
    number: jobNumber(id, entry.index, deps.jobJournals),
    type,
    ...state,
    priority,
    actor,
    subject,
    ...(region === undefined ? {} : { region }),
    requestId,
    ...(traceparent === undefined ? {} : { traceparent }),
    data: dataRef === null ? data : null,
    dataRef,
    createdAt: entry.at,
    // Not by the journal's time, which may be ahead of a clock that stepped back.
    visibleAtMs: Math.max(deps.clock.nowMs(), notBeforeMs ?? 0),
    maxAttempts,
    lease: null,
    progress: null,
    result: null,
    error: null,
    history: [stepOf(state, entry, null)],
    endedAt: null,
    firstIndex: entry.index,
  };
}

function queuedFacts({ type, priority, subject, notBeforeMs }: NewJob, dataDigest: string) {
  const notBefore = notBeforeMs === null ? null : new Date(notBeforeMs).toISOString();
  return { type, status: 'queued', attempt: 0, priority, subject, notBefore, dataDigest };
}
