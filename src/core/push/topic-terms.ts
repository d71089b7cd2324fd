import type { Deps } from '../deps.ts';
import { eventMessagesOf } from '../events/published-events.ts';
import type { Scope } from '../identity/scopes.ts';
import { requireJob } from '../jobs/change-job.ts';
import { jobMessagesOf } from '../jobs/job-events.ts';
import { jobJournalsOf, jobSubject, journalOfJob } from '../jobs/job-keys.ts';
import { isOpenJob } from '../jobs/job-record.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import { policyChangesOf } from '../policies/policy-events.ts';
import { requireRun } from '../rollouts/read-situation.ts';
import { runChangeOf, runOfEntry } from '../rollouts/run-events.ts';
import { isOpen } from '../rollouts/run-record.ts';
import type { PushTopic } from './push-frames.ts';

/** A topic, and what its run or job was like when somebody began to listen: fit to be stored. */
export interface OpenTopic {
  readonly topic: PushTopic;
  /** The index before its first entry, for who has seen nothing; null: the next change. */
  readonly start: number | null;
  /** Nothing more is to come than what the journal has. */
  readonly isOver: boolean;
  /** RFC 3339, of a job: when it took its last step. */
  readonly lastStepAt: string | null;
}

/** What is read for a topic, and what is told of it. */
export interface TopicTerms {
  /** One or several, of one tenant. Between those of a topic no order is promised. */
  readonly journals: readonly string[];
  /** What a listener is told of an entry, in order and as values for JSON: mostly nothing. */
  readonly messagesOf: (entry: JournalEntry, journal: string) => readonly unknown[];
  /** The entry after which there is nothing more to tell; none, unless given. */
  readonly isLast?: ((entry: JournalEntry) => boolean) | undefined;
  /** Nothing more is to come: it is done with what the journals have now. */
  readonly isOver?: boolean;
}

const scopeOf: Readonly<Record<PushTopic['topic'], Scope>> = {
  policies: 'read:policy',
  run: 'read:policy',
  job: 'read:job',
  jobs: 'read:job',
  events: 'read:job',
};

/** What a token must carry to listen to it. */
export function scopeOfTopic({ topic }: PushTopic): Scope {
  return scopeOf[topic];
}

/** Looks up what the topic is about. Errors: `NotFound`, also for another tenant's. */
export async function openTopic(
  deps: Pick<Deps, 'records' | 'jobJournals'>,
  tenant: string,
  topic: PushTopic,
): Promise<OpenTopic> {
  if (topic.topic === 'run') {
    const { value: run } = await requireRun(deps, { tenant, run: topic.run });
    const isOver = !isOpen(run.status);
    return { topic, start: run.firstIndex - 1, isOver, lastStepAt: null };
  }
  if (topic.topic === 'job') {
    const { value: job } = await requireJob(deps, { tenant, id: topic.job });
    const lastStepAt = job.history.at(-1)?.at ?? null;
    return { topic, start: job.firstIndex - 1, isOver: !isOpenJob(job), lastStepAt };
  }
  return { topic, start: null, isOver: false, lastStepAt: null };
}

/** How a topic is read. `jobJournals`: as in `Deps`. */
export function termsOf(
  tenant: string,
  { topic, isOver, lastStepAt }: OpenTopic,
  jobJournals: number,
): TopicTerms {
  switch (topic.topic) {
    case 'policies': {
      const { channel } = topic;
      const isAsked = (change: { readonly channel: string }) =>
        channel === undefined || change.channel === channel;
      const messagesOf = (entry: JournalEntry) => policyChangesOf(tenant, entry).filter(isAsked);
      return { journals: [tenant], messagesOf };
    }
    case 'run':
      return { ...runTerms(tenant, topic.run), isOver };
    case 'job': {
      const { job } = topic;
      const journals = [journalOfJob({ tenant, id: job }, jobJournals)];
      return { journals, ...jobTerms(job, lastStepAt), isOver };
    }
    case 'jobs': {
      const { jobType } = topic;
      const messagesOf = (entry: JournalEntry, journal: string) =>
        jobType === undefined || typeOf(entry) === jobType ? jobMessagesOf(journal, entry) : [];
      return { journals: jobJournalsOf(tenant, jobJournals), messagesOf };
    }
    default: {
      const { eventType } = topic;
      const messagesOf = (entry: JournalEntry, journal: string) =>
        eventMessagesOf(journal, entry, eventType);
      return { journals: jobJournalsOf(tenant, jobJournals), messagesOf };
    }
  }
}

function runTerms(tenant: string, run: number): TopicTerms {
  return {
    journals: [tenant],
    messagesOf: (entry) => (runOfEntry(entry) === run ? [runChangeOf(tenant, entry)] : []),
    isLast: (entry) => entry.action === 'run.ended' && runOfEntry(entry) === run,
  };
}

const finalActions: ReadonlySet<string> = new Set([
  'job.completed',
  'job.rejected',
  'job.cancelled',
]);

function jobTerms(job: string, lastStepAt: string | null): Omit<TopicTerms, 'journals'> {
  const isAbout = ({ subject }: JournalEntry) => subject === jobSubject(job);
  return {
    messagesOf: (entry, journal) => (isAbout(entry) ? jobMessagesOf(journal, entry) : []),
    // As far as its record told: one that was dead may go on.
    isLast: (entry) => {
      if (!isAbout(entry)) return false;
      if (entry.action !== 'job.dead') return finalActions.has(entry.action);
      return lastStepAt === null || entry.at >= lastStepAt;
    },
  };
}

/** The type of the job that an entry is about. */
function typeOf({ after }: JournalEntry): unknown {
  return typeof after === 'object' && after !== null && 'type' in after ? after.type : undefined;
}
