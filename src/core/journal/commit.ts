import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { Conflict, Unavailable } from '../errors/app-error.ts';
import { getRecord } from '../records.ts';
import type { JournalEntry, JournalHead, Origin } from './journal-entry.ts';
import { entryKey, headKey, tenantsPartition } from './journal-keys.ts';

type CommitDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

/** What a use case wants done, decided from what it read. */
export type Decision<T> =
  | { readonly kind: 'unchanged'; readonly result: T }
  | {
      readonly kind: 'change';
      readonly entry: Pick<JournalEntry, 'action' | 'subject' | 'before' | 'after' | 'reason'>;
      /** The new state. At most 90 writes; each expects what `decide` read. */
      readonly writes: (entry: JournalEntry) => readonly RecordWrite[];
      readonly result: (entry: JournalEntry) => T;
    };

const maxAttempts = 12;
const maxSends = 3;

/**
 * The only way to change state: one transaction that writes the new state and one journal entry
 * at the next index of the tenant. Either all of it happened, and this returns, or none of it.
 *
 * `decide` is called again, on fresh reads, when somebody else was faster: it must have no effect
 * that matters twice. Errors: what `decide` throws; `Conflict` after 12 lost races; `Unavailable`
 * when the store did not answer, after which the change may or may not have happened.
 */
export async function commit<T>(
  deps: CommitDeps,
  origin: Origin,
  decide: () => Promise<Decision<T>>,
): Promise<T> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const [head, decision] = await Promise.all([getRecord(deps, headKey(origin.tenant)), decide()]);
    if (decision.kind === 'unchanged') return decision.result;
    const entry: JournalEntry = {
      ...nextPlace(head?.value, deps.clock.nowMs()),
      actor: origin.actor,
      ...decision.entry,
      requestId: origin.requestId,
      commitId: deps.ids.next(),
    };
    const writes = [...journalWrites(origin.tenant, head?.rev, entry), ...decision.writes(entry)];
    if (await send(deps, origin.tenant, entry, writes)) {
      deps.signal.notify(origin.tenant, entry.index);
      return decision.result(entry);
    }
    await deps.clock.sleep(backOffMs(attempt));
  }
  throw new Conflict('Others keep changing the same thing. Read it again, then repeat the call.');
}

function nextPlace(
  head: JournalHead | undefined,
  nowMs: number,
): Pick<JournalEntry, 'index' | 'at'> {
  const now = new Date(nowMs).toISOString();
  if (head === undefined) return { index: 0, at: now };
  // A clock that stepped back must not reorder history.
  return { index: head.nextIndex, at: now > head.at ? now : head.at };
}

function journalWrites(
  tenant: string,
  headRev: number | undefined,
  entry: JournalEntry,
): RecordWrite[] {
  const head: JournalHead = { nextIndex: entry.index + 1, at: entry.at };
  const writes: RecordWrite[] = [
    { kind: 'put', key: headKey(tenant), value: head, expect: headRev ?? 'absent' },
    { kind: 'put', key: entryKey(tenant, entry.index), value: entry, expect: 'absent' },
  ];
  if (headRev === undefined) {
    const key = { partition: tenantsPartition, sort: tenant };
    writes.push({ kind: 'put', key, value: {}, expect: 'absent' });
  }
  return writes;
}

/** False: somebody else was faster, and nothing was written. */
async function send(
  deps: CommitDeps,
  tenant: string,
  entry: JournalEntry,
  writes: readonly RecordWrite[],
): Promise<boolean> {
  let unanswered: Unavailable | undefined;
  for (let sends = 1; ; sends++) {
    try {
      if ((await deps.records.commit(writes, entry.commitId)) === 'committed') return true;
      const place = await placeOf(deps, tenant, entry);
      if (place !== 'free') return place === 'ours';
      if (unanswered === undefined) return false;
      // An earlier send is still on its way, it seems: to decide anew could do the change twice.
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      unanswered = error;
    }
    if (sends >= maxSends) {
      if ((await placeOf(deps, tenant, entry)) === 'ours') return true;
      throw unanswered;
    }
    await deps.clock.sleep(backOffMs(sends));
  }
}

/** Whose the entry at this index is: it tells what became of a send whose answer was lost. */
async function placeOf(
  deps: CommitDeps,
  tenant: string,
  entry: JournalEntry,
): Promise<'ours' | 'free' | 'taken'> {
  const found = await getRecord(deps, entryKey(tenant, entry.index));
  if (found === undefined) return 'free';
  return found.value.commitId === entry.commitId ? 'ours' : 'taken';
}

/** Full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/). */
function backOffMs(attempt: number): number {
  return Math.random() * Math.min(500, 10 * 2 ** attempt);
}
