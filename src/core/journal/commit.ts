import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import { Conflict } from '../errors/app-error.ts';
import { getRecord } from '../records.ts';
import type { JournalEntry, JournalHead, Origin } from './journal-entry.ts';
import { headKey } from './journal-keys.ts';
import { backOffMs, type CommitDeps, sendCommit } from './send-commit.ts';

/** What a use case wants done, decided from what it read. */
export type Decision<T> = { readonly kind: 'unchanged'; readonly result: T } | Change<T>;

/** What changes have counted up and down, by name; a count of 0 is left out. */
export type Tally = Readonly<Record<string, number>>;

interface Change<T> {
  readonly kind: 'change';
  readonly entry: Pick<JournalEntry, 'action' | 'subject' | 'before' | 'after' | 'reason'>;
  /** The new state. At most 90 writes; each expects what `decide` read. */
  readonly writes: (entry: JournalEntry) => readonly RecordWrite[];
  readonly result: (entry: JournalEntry) => T;
  /** What it adds to the counts in the journal's head. */
  readonly tally?: Tally;
  /** Throws when the counts, as this change meets them, leave no room for it. */
  readonly admit?: (counts: Tally) => void;
}

/** Somebody's change of what a journal tells of. */
export interface ChangeRequest<T> {
  readonly origin: Origin;
  /**
   * Called again, on fresh reads, when somebody else was faster: it must have no effect that
   * matters twice.
   */
  readonly decide: () => Promise<Decision<T>>;
}

const maxAttempts = 12;
/** Races that a change may lose in company; from then on it goes by itself. */
const maxLostTogether = 2;
/** A transaction takes 100, with the journal's head and its place in the list of journals. */
const maxWrites = 98;

/**
 * The only way to change state: one transaction that writes the new state and one journal entry
 * at the next index of the tenant. Either all of it happened, and this returns, or none of it.
 *
 * Errors: what `decide` throws; `Conflict` after 12 lost races; `Unavailable` when the store did
 * not answer, after which the change may or may not have happened.
 */
export async function commit<T>(
  deps: CommitDeps,
  origin: Origin,
  decide: ChangeRequest<T>['decide'],
): Promise<T> {
  const [outcome] = await commitTogether(deps, origin.tenant, [{ origin, decide }]);
  if (outcome?.status !== 'fulfilled') throw outcome?.reason;
  return outcome.value;
}

type Outcome<T> = PromiseSettledResult<T>;

/**
 * The same for several changes of one journal: those that touch different records share a
 * transaction, with an entry each. What fails, or keeps losing, does not keep the others. Answers
 * in the order of the requests, and never rejects.
 */
export async function commitTogether<T>(
  deps: CommitDeps,
  journal: string,
  requests: readonly ChangeRequest<T>[],
): Promise<Outcome<T>[]> {
  const all = requests.map((request): Pending<T> => ({ request, lost: 0, outcome: undefined }));
  for (let left = all; left.length > 0; left = all.filter(isOpen)) {
    await commitSome(deps, journal, nextOf(left));
  }
  return all.flatMap(({ outcome }) => outcome ?? []);
}

interface Pending<T> {
  readonly request: ChangeRequest<T>;
  /** How many races. */
  lost: number;
  /** Set once it is settled. */
  outcome: Outcome<T> | undefined;
}

function isOpen({ outcome }: Pending<unknown>): boolean {
  return outcome === undefined;
}

/** All that may still go together; then the others, one by one, whoever lost least first. */
function nextOf<T>(left: readonly Pending<T>[]): readonly Pending<T>[] {
  const together = left.filter(({ lost }) => lost < maxLostTogether);
  if (together.length > 0) return together;
  return left.toSorted((a, b) => a.lost - b.lost).slice(0, 1);
}

/** Decides, and sends as many as fit into one transaction. Settles at least one, or counts a loss. */
async function commitSome<T>(
  deps: CommitDeps,
  journal: string,
  batch: readonly Pending<T>[],
): Promise<void> {
  try {
    const [head, decided] = await Promise.all([
      getRecord(deps, headKey(journal)),
      Promise.allSettled(batch.map(async ({ request }) => request.decide())),
    ]);
    const changes = batch.flatMap((pending, place) => {
      const decision = decided[place] as Outcome<Decision<T>>;
      if (decision.status === 'fulfilled' && decision.value.kind === 'change') {
        return [{ pending, change: decision.value }];
      }
      pending.outcome =
        decision.status === 'rejected' ? decision : done(decision.value.result as T);
      return [];
    });
    const group = placeTogether(deps, head?.value, changes);
    if (group.placed.length > 0) await sendGroup(deps, journal, head, group);
  } catch (reason) {
    for (const pending of batch.filter(isOpen)) pending.outcome = failed(reason);
  }
}

function done<T>(value: T): Outcome<T> {
  return { status: 'fulfilled', value };
}

function failed<T>(reason: unknown): Outcome<T> {
  return { status: 'rejected', reason };
}

interface Requested<T> {
  readonly pending: Pending<T>;
  readonly change: Change<T>;
}

/** A change with its entry, at its place in the journal. */
interface Placed<T> extends Requested<T> {
  readonly entry: JournalEntry;
  readonly writes: readonly RecordWrite[];
}

interface Group<T> {
  readonly placed: readonly Placed<T>[];
  /** As it is after all of them. */
  readonly tally: Tally;
}

/** Of these changes the first, and all that fit into one transaction with it. */
function placeTogether<T>(
  deps: CommitDeps,
  head: JournalHead | undefined,
  changes: readonly Requested<T>[],
): Group<T> {
  const next = nextPlace(head, deps.clock.nowMs());
  const placed: Placed<T>[] = [];
  const touched = new Set<string>();
  let tally = head?.tally ?? {};
  let room = maxWrites;
  for (const { pending, change } of changes) {
    const entry = entryOf(deps, pending.request.origin, change, next, placed.length);
    try {
      const writes = change.writes(entry);
      const keys = writes.map(({ key }) => `${key.partition}\n${key.sort}`);
      const fits = writes.length < room && !keys.some((key) => touched.has(key));
      // What does not fit even alone is for the store to refuse.
      if (placed.length > 0 && !fits) continue;
      change.admit?.(tally);
      for (const key of keys) touched.add(key);
      room -= writes.length + 1;
      tally = counted(tally, change.tally);
      placed.push({ pending, change, entry, writes });
    } catch (reason) {
      pending.outcome = failed(reason);
    }
  }
  return { placed, tally };
}

function entryOf(
  deps: CommitDeps,
  { actor, requestId }: Origin,
  { entry }: Change<unknown>,
  next: Pick<JournalEntry, 'index' | 'at'>,
  offset: number,
): JournalEntry {
  const commitId = deps.ids.next();
  return { index: next.index + offset, at: next.at, actor, ...entry, requestId, commitId };
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

function counted(before: Tally, delta: Tally = {}): Tally {
  const tally: Record<string, number> = { ...before };
  for (const [name, by] of Object.entries(delta)) {
    const count = (tally[name] ?? 0) + by;
    if (count === 0) delete tally[name];
    else tally[name] = count;
  }
  return tally;
}

async function sendGroup<T>(
  deps: CommitDeps,
  journal: string,
  head: StoredRecord<JournalHead> | undefined,
  { placed, tally }: Group<T>,
): Promise<void> {
  const entries = placed.map(({ entry }) => entry);
  const last = entries.at(-1);
  if (last === undefined) throw new Error('a group is never empty');
  const counts = Object.keys(tally).length === 0 ? {} : { tally };
  const value: JournalHead = { nextIndex: last.index + 1, at: last.at, ...counts };
  const writes = placed.flatMap((one) => one.writes);
  try {
    const isSent = await sendCommit(deps, journal, { rev: head?.rev, value }, entries, writes);
    if (!isSent) return await noteLoss(deps, placed);
    deps.signal.notify(journal, last.index);
    for (const { pending, change, entry } of placed) pending.outcome = outcomeOf(change, entry);
  } catch (error) {
    // Nothing was written, for what may be the fault of one: each finds out by itself.
    const isDivided = placed.length > 1 && isRefusal(error);
    for (const { pending } of placed) {
      if (isDivided) pending.lost = Math.max(pending.lost, maxLostTogether);
      else pending.outcome = failed(error);
    }
  }
}

/** That the writes break a limit of the store: too large together, or not JSON. */
function isRefusal(error: unknown): boolean {
  return error instanceof RangeError || error instanceof TypeError;
}

function outcomeOf<T>(change: Change<T>, entry: JournalEntry): Outcome<T> {
  try {
    return done(change.result(entry));
  } catch (reason) {
    return failed(reason);
  }
}

/** Lets those who were faster go on, before the next attempt. */
async function noteLoss<T>(deps: CommitDeps, placed: readonly Placed<T>[]): Promise<void> {
  for (const { pending } of placed) {
    pending.lost += 1;
    if (pending.lost >= maxAttempts) pending.outcome = failed(lostRaces());
  }
  const open = placed.map(({ pending }) => pending).filter(isOpen);
  const lost = Math.max(0, ...open.map((pending) => pending.lost));
  // Of several, one may have rested on what is no longer so: the others need not wait for that.
  const waits = placed.length > 1 ? lost > 1 : lost > 0;
  if (waits) await deps.clock.sleep(backOffMs(lost - 1));
}

function lostRaces(): Conflict {
  return new Conflict('Others keep changing the same thing. Read it again, then repeat the call.');
}
