import type { Deps } from '../deps.ts';
import { AppError, InvalidRequest, TooLarge } from '../errors/app-error.ts';
import type { Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { journalOfJob } from '../jobs/job-keys.ts';
import { jobLimits } from '../jobs/job-limits.ts';
import { sha256Hex } from '../packages/digest.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import { eventSubject, keptEventKey, type KeptEvent } from './event-keys.ts';
import { typeProblem } from './event-type.ts';

/** Of `data`, as JSON. */
export const maxEventDataBytes = 100 * 1024;

export const eventIdPattern = /^[A-Za-z0-9_-]{1,128}$/;

export interface NewEvent {
  readonly type: string;
  readonly data: Json;
  /** What it is about; null: itself. */
  readonly subject: string | null;
  /** `eventIdPattern`; null: one is made. */
  readonly id: string | null;
  /** The id is made of it, and of the caller: for who names none. */
  readonly idempotencyKey: string | null;
}

export interface PublishedEvent {
  /** `known`: the same was published before, under this id. */
  readonly status: 'published' | 'known';
  readonly id: string;
}

type PublishDeps = Pick<Deps, 'records' | 'ids' | 'lanes' | 'jobJournals'>;

/**
 * Publishes an event in one commit, to one of the tenant's journals of jobs: the relay takes it from
 * there. A repeat under the same id within 7 days does nothing.
 * Errors: `InvalidRequest`; `TooLarge`; `idempotency_key_reused` for an id that was used for another
 * event, or by another caller; those of `commit`.
 */
export async function publishEvent(
  deps: PublishDeps,
  origin: Origin,
  asked: NewEvent,
): Promise<PublishedEvent> {
  checkEvent(asked);
  const { tenant, actor, traceparent } = origin;
  const { type, subject, data } = asked;
  const id = asked.id ?? madeId(deps, actor, asked.idempotencyKey);
  const hash = hashOf(['event', id]);
  const digest = hashOf([actor, type, subject, data]);
  const key = keptEventKey(tenant, hash);
  // By its hash: an id that the caller chose need not end in a hex digit.
  const journal = journalOfJob({ tenant, id: hash }, deps.jobJournals);
  return deps.lanes.commit(journal, origin, async (): Promise<Decision<PublishedEvent>> => {
    const kept = await getRecord(deps, key);
    if (kept !== undefined) {
      requireSame(kept.value, digest);
      return { kind: 'unchanged', result: { status: 'known', id } };
    }
    return {
      kind: 'change',
      entry: {
        action: 'event.published',
        subject: eventSubject(id),
        before: null,
        after: { type, subject, data, ...(traceparent === undefined ? {} : { traceparent }) },
        reason: null,
      },
      writes: ({ at }) => {
        const value: KeptEvent = { digest };
        const expiresAtMs = Date.parse(at) + jobLimits.idempotencyMs;
        return [{ kind: 'put', key, value, expect: 'absent', expiresAtMs }];
      },
      result: () => ({ status: 'published', id }),
    };
  });
}

function checkEvent({ type, id, data }: NewEvent): void {
  const problem = typeProblem(type);
  const details = problem === null ? [] : [{ pointer: '/type', detail: problem }];
  if (id !== null && !eventIdPattern.test(id)) {
    details.push({ pointer: '/id', detail: 'must be 1 to 128 of A-Z a-z 0-9 _ -' });
  }
  if (details.length > 0) throw new InvalidRequest('The event is not valid.', details);
  if (Buffer.byteLength(JSON.stringify(data)) > maxEventDataBytes) {
    throw new TooLarge(
      `The data of an event has at most ${maxEventDataBytes} bytes; store it and name it.`,
    );
  }
}

function madeId(deps: Pick<Deps, 'ids'>, actor: string, idempotencyKey: string | null): string {
  if (idempotencyKey === null) return deps.ids.next();
  return `key-${hashOf([actor, idempotencyKey]).slice(0, 40)}`;
}

function requireSame(kept: KeptEvent, digest: string): void {
  if (kept.digest === digest) return;
  throw new AppError(
    'idempotency_key_reused',
    'This id, or Idempotency-Key, was used for another event: use a new one.',
  );
}

function hashOf(parts: Json): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(parts)));
}
