import { openSubscription, tooManySubscriptions } from './open-subscription.ts';
import { positionText } from './positions.ts';
import {
  changeConnection,
  type ConnectionRef,
  findConnection,
  type PushConnection,
  type PushSubscription,
} from './push-connection.ts';
import type { PushDeps } from './push-deps.ts';
import {
  type ClientFrame,
  type ClosingReason,
  pushLimits,
  type ServerFrame,
  type Subscribe,
} from './push-frames.ts';
import { noteInterest } from './push-interest.ts';
import { logOfJournal } from './push-keys.ts';
import { placesOf, shardPlaces } from './shard-listeners.ts';
import { principalOf } from './tickets.ts';
import { termsOf } from './topic-terms.ts';

/** A gateway ends a connection on which nothing is said for ten minutes; each ping is a call of ours. */
const pingSeconds = 60;

/** What becomes of a frame: it is answered, somebody else will answer it, or the connection is closed. */
export type FrameOutcome =
  | { readonly kind: 'answered'; readonly frame: ServerFrame }
  | { readonly kind: 'taken' }
  | {
      readonly kind: 'closed';
      /** Null: nothing is known of it. */
      readonly ref: ConnectionRef | null;
      readonly reason: ClosingReason;
    };

/**
 * Obeys a frame of a connection that a gateway holds. What a subscription tells comes from who does
 * the tasks of its shard, `subscribed` first. Errors: those of `openSubscription`; `too_many_requests`;
 * `Unavailable`. The frame has changed nothing that the client can see then, and may be sent again.
 */
export async function answerFrame(
  deps: PushDeps,
  connection: string,
  frame: ClientFrame,
): Promise<FrameOutcome> {
  const found = await findConnection(deps, connection);
  if (found === null) return { kind: 'closed', ref: null, reason: 'unknown' };
  const { ref, value } = found;
  if (value.endsAtMs <= deps.clock.nowMs()) return { kind: 'closed', ref, reason: value.endsAs };
  switch (frame.type) {
    case 'hello': {
      const until = new Date(value.endsAtMs).toISOString();
      return answered({ type: 'hello', pingSeconds, until });
    }
    case 'ping':
      return answered({ type: 'pong', positions: await positionsOf(deps, ref, value) });
    case 'unsubscribe': {
      const { subscription } = frame;
      await changeConnection(deps, ref, (current) => without(current, subscription));
      return answered({ type: 'unsubscribed', subscription });
    }
    default:
      return subscribe(deps, ref, value, frame);
  }
}

function answered(frame: ServerFrame): FrameOutcome {
  return { kind: 'answered', frame };
}

function without(value: PushConnection, name: string): PushConnection | undefined {
  const subscriptions = value.subscriptions.filter((each) => each.name !== name);
  if (subscriptions.length === value.subscriptions.length) return undefined;
  return { ...value, subscriptions };
}

/**
 * In this order: what is stored first is told by nobody, and what is told is brought by who looks up
 * the interest after the entry was made.
 */
async function subscribe(
  deps: PushDeps,
  ref: ConnectionRef,
  { principal, endsAtMs }: PushConnection,
  frame: Subscribe,
): Promise<FrameOutcome> {
  const open = await openSubscription(deps, principalOf(principal), frame);
  const { name, opened, positions, lengths, terms } = open;
  const ends = opened.isOver ? lengths.map((length) => length - 1) : null;
  const id = deps.ids.next();
  const added: PushSubscription = { name, id, opened, state: 'new', positions, ends };
  const changed = await changeConnection(deps, ref, (current) => {
    const others = (without(current, name) ?? current).subscriptions;
    if (others.length >= pushLimits.maxSubscriptions) throw tooManySubscriptions();
    return { ...current, subscriptions: [...others, added] };
  });
  if (changed === null) return { kind: 'closed', ref, reason: 'unknown' };
  const { connection, tenant, shard } = ref;
  await noteInterest(deps, ref, terms.journals.map(logOfJournal), endsAtMs);
  await deps.pushQueue.send([
    { tenant, shard, id: deps.ids.next(), kind: 'joined', connection, subscription: name },
  ]);
  return { kind: 'taken' };
}

/** Where each subscription stands: those that go with their shard, where that stands. */
async function positionsOf(
  deps: Pick<PushDeps, 'records' | 'jobJournals'>,
  ref: ConnectionRef,
  { principal: { tenant }, subscriptions }: PushConnection,
): Promise<Record<string, string>> {
  const told = subscriptions
    .filter(({ state }) => state !== 'new')
    .map((subscription) => {
      const { journals } = termsOf(tenant, subscription.opened, deps.jobJournals);
      const isLive = subscription.state === 'live';
      return { subscription, logs: isLive ? journals.map(logOfJournal) : [] };
    });
  const logs = new Set(told.flatMap((each) => each.logs));
  const reached = await shardPlaces(deps, ref, [...logs]);
  return Object.fromEntries(
    told.map(({ subscription, logs: own }) => {
      const { name, state, positions } = subscription;
      const places = state === 'live' ? placesOf(subscription, own, reached) : positions;
      return [name, positionText(places)];
    }),
  );
}
