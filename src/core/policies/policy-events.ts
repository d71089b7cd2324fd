import type { BusEvent } from '../../ports/event-bus.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import type { Json } from '../values/json.ts';
import type { Channel } from './channel.ts';
import type { PolicyAction } from './movement.ts';
import type { ChangedLane, LaneAction, MovedLane } from './timeline-entry.ts';

/** What listeners are told of a change: `data` of events, and messages of the stream. */
export interface PolicyChange {
  readonly tenant: string;
  readonly id: string;
  readonly channel: Channel;
  readonly snapshot: string;
  readonly version: string;
  readonly gen: number;
  readonly action: PolicyAction | LaneAction;
  readonly reason: string;
  readonly before: string | null;
  readonly effectiveAt: string | null;
  readonly actor: string;
  readonly index: number;
  readonly at: string;
}

const verbs: Readonly<Record<PolicyChange['action'], string>> = {
  'policy.published': 'publish',
  'policy.promoted': 'promote',
  'policy.rolledback': 'rollback',
  'policy.activated': 'effective',
  'policy.canary': 'canary',
  'policy.released': 'release',
  'policy.restored': 'restore',
};

/** The changes that an entry tells of: none, one, or those of a release of several policies. */
export function policyChangesOf(tenant: string, entry: JournalEntry): PolicyChange[] {
  if (isMove(entry.action)) {
    const after = entry.after as unknown as ChangedLane;
    const before = entry.before as unknown as ChangedLane | null;
    return [changeOf(tenant, entry, entry.subject, entry.action, after, before?.snapshot ?? null)];
  }
  return movedLanesOf(entry).map(({ id, action, before, ...lane }) =>
    changeOf(tenant, entry, id, action, lane, before),
  );
}

/** The lanes that a run's entry moved. */
export function movedLanesOf({ after }: Pick<JournalEntry, 'after'>): readonly MovedLane[] {
  if (typeof after !== 'object' || after === null || !('lanes' in after)) return [];
  return after.lanes as unknown as readonly MovedLane[];
}

function changeOf(
  tenant: string,
  entry: JournalEntry,
  id: string,
  action: PolicyChange['action'],
  { channel, snapshot, version, gen, effectiveAt }: ChangedLane,
  before: string | null,
): PolicyChange {
  const { actor, index, at } = entry;
  const reason = entry.reason ?? verbs[action];
  const what = { tenant, id, channel, snapshot, version, gen, action, reason };
  return { ...what, before, effectiveAt, actor, index, at };
}

/**
 * The events of an entry: `policy.updated` for each change of what everyone gets, and one more for
 * a rollback; `policy.canary` for what a few get.
 */
export function policyEventsOf(tenant: string, entry: JournalEntry): BusEvent[] {
  const changes = policyChangesOf(tenant, entry);
  return changes.flatMap((change) =>
    typesOf(change.action).map((type) => ({
      specversion: '1.0',
      // Of an entry that moved several, each has its own.
      id: `${tenant}/${entry.index}/${type}${isMove(entry.action) ? '' : `/${change.id}`}`,
      source: 'hms.policies',
      type,
      subject: change.id,
      time: entry.at,
      datacontenttype: 'application/json',
      data: { ...change } as Json,
    })),
  );
}

function typesOf(action: PolicyChange['action']): string[] {
  if (action === 'policy.canary') return ['policy.canary'];
  return action === 'policy.rolledback'
    ? ['policy.updated', 'policy.rolledback']
    : ['policy.updated'];
}

const moves: ReadonlySet<string> = new Set([
  'policy.published',
  'policy.promoted',
  'policy.rolledback',
  'policy.activated',
] satisfies PolicyAction[]);

function isMove(action: string): action is PolicyAction {
  return moves.has(action);
}
