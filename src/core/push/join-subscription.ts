import type { ShardRef } from '../../ports/push-queue.ts';
import { Unavailable } from '../errors/app-error.ts';
import { entriesAfter } from '../journal/read-journal.ts';
import { getRecord, getRecords } from '../records.ts';
import { endedText, EntryTexts } from './entry-texts.ts';
import { journalLengths, positionText } from './positions.ts';
import { postTexts } from './post-texts.ts';
import {
  changeSubscription,
  type ConnectionRef,
  dropConnection,
  type PushSubscription,
} from './push-connection.ts';
import type { PushDeps } from './push-deps.ts';
import { interestMs } from './push-interest.ts';
import { connectionKey, cursorKey, logOfJournal, type ShardCursor } from './push-keys.ts';
import { termsOf, type TopicTerms } from './topic-terms.ts';

/** Entries that one step looks at: then others of the shard have a turn. */
const stepLength = 100;

export interface Joined {
  /** It has not caught up yet: it should be called again soon. */
  readonly hasMore: boolean;
  /** It goes with its shard from now on, which has not been told all of these logs. */
  readonly logs: readonly string[];
}

const nothing: Joined = { hasMore: false, logs: [] };

/**
 * Lets a subscription catch up with its shard: says `subscribed`, tells it what its shard was told
 * and it was not, and then has it told along with the others. Nothing comes between, since all that
 * a shard is told is told by who does its tasks, one after the other.
 *
 * Safe to repeat: who dies in between leaves it where it was, and messages come again. Errors:
 * `Unavailable`.
 */
export async function joinSubscription(
  deps: PushDeps,
  ref: ConnectionRef,
  name: string,
): Promise<Joined> {
  const found = await getRecord(deps, connectionKey(ref, ref.connection));
  const subscription = found?.value.subscriptions.find((each) => each.name === name);
  if (found === undefined || subscription === undefined) return nothing;
  const { endsAtMs, endsAs } = found.value;
  if (endsAtMs <= deps.clock.nowMs()) {
    await dropConnection(deps, ref, endsAs);
    return nothing;
  }
  const terms = termsOf(ref.tenant, subscription.opened, deps.jobJournals);
  const lengths = await journalLengths(deps, terms.journals);
  const reached = await shardReached(deps, ref, terms, lengths, endsAtMs);
  const behind = terms.journals
    .filter((_, at) => (reached[at] ?? 0) < (lengths[at] ?? 0))
    .map(logOfJournal);
  // Told before, by who died after that.
  if (subscription.state === 'live') return { hasMore: false, logs: behind };
  const isJoined = await catchUp(deps, ref, subscription, terms, reached);
  return isJoined ? { hasMore: false, logs: behind } : { hasMore: isJoined === false, logs: [] };
}

/** The index that the shard is told next, of each journal. Where it has not begun, it begins now. */
async function shardReached(
  deps: PushDeps,
  ref: ShardRef,
  { journals }: TopicTerms,
  lengths: readonly number[],
  endsAtMs: number,
): Promise<number[]> {
  const keys = journals.map((journal) => cursorKey(ref, logOfJournal(journal)));
  const cursors = await getRecords(deps, keys);
  const untilMs = deps.clock.nowMs() + interestMs;
  const next = cursors.map((cursor, at) => cursor?.value.nextIndex ?? lengths[at] ?? 0);
  const writes = keys.flatMap((key, at) => {
    const cursor = cursors[at];
    // It must last as long as somebody goes by it.
    if ((cursor?.value.untilMs ?? 0) >= endsAtMs) return [];
    const value: ShardCursor = { nextIndex: next[at] ?? 0, untilMs };
    const expect = cursor?.rev ?? 'absent';
    return [{ kind: 'put', key, value, expect, expiresAtMs: untilMs } as const];
  });
  if (writes.length === 0) return next;
  const outcome = await deps.records.commit(writes, deps.ids.next());
  if (outcome === 'conflict') throw new Unavailable('The shard is told by another. Try again.');
  return next;
}

/**
 * One step of it. True: it has caught up, and goes with its shard. False: there is more. Null: it is
 * no more, since all is told, or its connection is closed.
 */
async function catchUp(
  deps: PushDeps,
  ref: ConnectionRef,
  subscription: PushSubscription,
  terms: TopicTerms,
  reached: readonly number[],
): Promise<boolean | null> {
  const { id, name, state, ends } = subscription;
  const places = [...subscription.positions];
  const targets = ends?.map((end) => end + 1) ?? reached;
  const after = positionText(places);
  const texts = state === 'new' ? [subscribedText(name, after)] : [];
  const told = await tellUpTo(deps, subscription, terms, places, targets);
  texts.push(...told.texts);
  const hasAll = places.every((place, at) => place + 1 >= (targets[at] ?? 0));
  const isDone = told.isEnded || (ends !== null && hasAll);
  if (isDone && !told.isEnded) texts.push(endedText(name));
  if ((await postTexts(deps, ref.connection, texts)) !== 'sent') {
    await dropConnection(deps, ref, null);
    return null;
  }
  await changeSubscription(deps, ref, id, (current) =>
    isDone ? undefined : { ...current, state: hasAll ? 'live' : 'joining', positions: places },
  );
  return isDone ? null : hasAll;
}

/** What comes after its places, in one journal after the other, up to these, or to a step's length. */
async function tellUpTo(
  deps: Pick<PushDeps, 'records'>,
  subscription: PushSubscription,
  terms: TopicTerms,
  places: number[],
  targets: readonly number[],
): Promise<{ readonly texts: readonly string[]; readonly isEnded: boolean }> {
  const texts: string[] = [];
  let left = stepLength;
  for (const [at, journal] of terms.journals.entries()) {
    const place = places[at] ?? -1;
    const limit = Math.min(left, (targets[at] ?? 0) - 1 - place);
    if (limit <= 0) continue;
    const entries = await entriesAfter(deps, journal, place, limit);
    left -= entries.length;
    const told = new EntryTexts(journal, entries).framesFor(subscription, terms, places, at);
    texts.push(...told.texts);
    if (told.isEnded) return { texts, isEnded: true };
  }
  return { texts, isEnded: false };
}

function subscribedText(subscription: string, after: string): string {
  return JSON.stringify({ type: 'subscribed', subscription, after });
}
