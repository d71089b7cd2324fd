import type { KeyOf } from '../records.ts';
import { type JobPriority, jobPriorities, type JobRecord, type JobRef } from './job-record.ts';

/**
 * Which of the tenant's job journals a job belongs to: by the last hex digit of its id, which is
 * random. A job never changes its journal.
 */
function journalNumber(id: string, jobJournals: number): number {
  return Number.parseInt(id.slice(-1), 16) % jobJournals;
}

/** The name of one of a tenant's job journals; its records are in partitions of the same name. */
export function jobJournal(tenant: string, number: number): string {
  return `${tenant}#jobs-${number}`;
}

/** Whether a journal, by its name, is one of jobs. */
export function isJobJournal(journal: string): boolean {
  return /#jobs-\d+$/.test(journal);
}

/** Every job journal that a tenant may have. */
export function jobJournalsOf(tenant: string, jobJournals: number): string[] {
  return Array.from({ length: jobJournals }, (_, number) => jobJournal(tenant, number));
}

/** What that journal is called within its tenant: `jobs-3`. */
export function logOfJob({ id }: Pick<JobRef, 'id'>, jobJournals: number): string {
  return `jobs-${journalNumber(id, jobJournals)}`;
}

/** The journal that tells of a job. */
export function journalOfJob({ tenant, id }: JobRef, jobJournals: number): string {
  return jobJournal(tenant, journalNumber(id, jobJournals));
}

/** Unique over the journals of a tenant, rising within each. */
export function jobNumber(id: string, index: number, jobJournals: number): number {
  return index * jobJournals + journalNumber(id, jobJournals) + 1;
}

/** The jobs of a journal, in the order in which they were enqueued. */
export function jobsPartition(journal: string): string {
  return `${journal}#records`;
}

export function jobKey(ref: JobRef, jobJournals: number): KeyOf<JobRecord> {
  return { partition: jobsPartition(journalOfJob(ref, jobJournals)), sort: ref.id };
}

/** That a job is open. */
export interface OpenJob {
  readonly id: string;
}

/** The open jobs of a type, by priority, and within one by the time from which on each may start. */
export function openJobsPartition(tenant: string, type: string): string {
  return `${tenant}#open-jobs#${type}`;
}

export function openJobPrefix(priority: JobPriority): string {
  return `${jobPriorities.indexOf(priority)}#`;
}

/** 15 digits sort any time of ours. Ends before the ids of that millisecond. */
export function openJobSort(priority: JobPriority, visibleAtMs: number): string {
  return `${openJobPrefix(priority)}${String(visibleAtMs).padStart(15, '0')}#`;
}

export function openJobKey(
  tenant: string,
  { id, type, priority, visibleAtMs }: Pick<JobRecord, 'id' | 'type' | 'priority' | 'visibleAtMs'>,
): KeyOf<OpenJob> {
  const sort = `${openJobSort(priority, visibleAtMs)}${id}`;
  return { partition: openJobsPartition(tenant, type), sort };
}

/** A job that is dead, for those who look for them. */
export interface DeadJob {
  readonly id: string;
  readonly type: string;
}

export function deadJobsPartition(tenant: string): string {
  return `${tenant}#dead-jobs`;
}

export function deadJobKey({ tenant, id }: JobRef): KeyOf<DeadJob> {
  return { partition: deadJobsPartition(tenant), sort: id };
}

/** What a caller made under an idempotency key. */
export interface KeptKey {
  readonly id: string;
  /** SHA-256 of what was asked: the same key for something else is refused. */
  readonly digest: string;
}

/** `digest`: SHA-256 of the caller and its key, so that no caller can name another's. */
export function idempotencyKey(tenant: string, digest: string): KeyOf<KeptKey> {
  return { partition: `${tenant}#job-keys#${digest.slice(0, 2)}`, sort: digest };
}

export function jobSubject(id: string): string {
  return `job:${id}`;
}

/** The job that an entry is about, or null. */
export function jobOfSubject(subject: string): string | null {
  return subject.startsWith('job:') ? subject.slice('job:'.length) : null;
}

/** The names of counts in the head of a job journal. */
export function waitingTally(type: string): string {
  return `${type}/waiting`;
}

export function runningTally(type: string): string {
  return `${type}/running`;
}

export function typeOfTally(name: string): string {
  return name.slice(0, name.lastIndexOf('/'));
}
