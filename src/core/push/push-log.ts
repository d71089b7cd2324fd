import type { StoredRecord } from '../../ports/record-store.ts';
import type { ShardRef } from '../../ports/push-queue.ts';
import { entriesAfter, journalLength } from '../journal/read-journal.ts';
import { getRecord } from '../records.ts';
import { EntryTexts } from './entry-texts.ts';
import { postTexts } from './post-texts.ts';
import { changeSubscription, dropConnection } from './push-connection.ts';
import type { PushDeps } from './push-deps.ts';
import { cursorKey, journalOfLog, type ShardCursor } from './push-keys.ts';
import { type Listener, shardListeners } from './shard-listeners.ts';

const pageLength = 50;
/** How long it goes on before others of the shard have a turn. */
const maxMs = 15_000;
/** Frames between two moves of the cursor, about: what is told again when a process dies. */
const maxPosts = 2000;
/** Connections that are posted to at a time. */
const maxAtOnce = 32;

/**
 * Tells a shard what a journal has had since the shard was told last, in order: each connection what
 * it subscribed to. A connection that is over, gone, or cannot be told is closed; its client comes
 * anew and says where it was. `'more'`: there is more to tell, and it should be called again soon.
 *
 * The cursor of the shard moves only after all connections were told: who dies in between, or two at
 * once, repeat messages and never skip one. Errors: `Unavailable`; the next run goes on.
 */
export async function pushLog(
  deps: PushDeps,
  ref: ShardRef,
  log: string,
): Promise<'done' | 'more'> {
  const journal = journalOfLog(ref.tenant, log);
  const endMs = deps.clock.nowMs() + maxMs;
  let listeners: readonly Listener[] | undefined;
  for (;;) {
    const cursor = await getRecord(deps, cursorKey(ref, log));
    // Before somebody has joined, there is nobody to tell.
    if (cursor === undefined) return 'done';
    const { nextIndex } = cursor.value;
    const entries = await entriesAfter(deps, journal, nextIndex - 1, pageLength);
    if (entries.length === 0) return 'done';
    listeners ??= await shardListeners(deps, ref, log, nextIndex - 1);
    const isHeard = listeners.length > 0;
    const told = entries.slice(0, Math.max(1, Math.floor(maxPosts / (listeners.length + 1))));
    if (isHeard) await tellAll(deps, listeners, new EntryTexts(journal, told));
    const reached = isHeard ? nextIndex + told.length : await journalLength(deps, journal);
    // Somebody else has moved it, and goes on.
    if (!(await moveCursor(deps, cursor, reached))) return 'done';
    const isAll = told.length === entries.length && entries.length < pageLength;
    if (isAll || !isHeard) return 'done';
    if (deps.clock.nowMs() >= endMs) return 'more';
  }
}

async function moveCursor(
  deps: Pick<PushDeps, 'records' | 'ids'>,
  { key, rev, value }: StoredRecord<ShardCursor>,
  nextIndex: number,
): Promise<boolean> {
  const moved: ShardCursor = { ...value, nextIndex };
  const { untilMs: expiresAtMs } = value;
  const put = { kind: 'put', key, value: moved, expect: rev, expiresAtMs } as const;
  return (await deps.records.commit([put], deps.ids.next())) === 'committed';
}

/** Errors: the first one, when all others have been told. */
async function tellAll(
  deps: PushDeps,
  listeners: readonly Listener[],
  entries: EntryTexts,
): Promise<void> {
  const left = listeners.values();
  const worker = async (): Promise<void> => {
    for (const listener of left) await tell(deps, listener, entries);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: maxAtOnce }, worker));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function tell(deps: PushDeps, listener: Listener, entries: EntryTexts): Promise<void> {
  const { ref, connection, heard } = listener;
  const { endsAtMs, endsAs } = connection;
  if (endsAtMs <= deps.clock.nowMs()) return dropConnection(deps, ref, endsAs);
  const texts: string[] = [];
  const ended: string[] = [];
  for (const { subscription, terms, places, at } of heard) {
    const told = entries.framesFor(subscription, terms, places, at);
    texts.push(...told.texts);
    if (told.isEnded) ended.push(subscription.id);
  }
  const outcome = await postTexts(deps, ref.connection, texts);
  if (outcome !== 'sent') return dropConnection(deps, ref, null);
  for (const id of ended) await changeSubscription(deps, ref, id, () => undefined);
}
