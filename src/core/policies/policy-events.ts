import type { BusEvent } from '../../ports/event-bus.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import type { Json } from '../values/json.ts';
import type { Channel } from './channel.ts';
import type { PolicyAction } from './movement.ts';
import type { ChangedLane } from './timeline-entry.ts';

/** What listeners are told of a change: `data` of events, and messages of the stream. */
export interface PolicyChange {
  readonly tenant: string;
  readonly id: string;
  readonly channel: Channel;
  readonly snapshot: string;
  readonly version: string;
  readonly gen: number;
  readonly action: PolicyAction;
  readonly reason: string;
  readonly before: string | null;
  readonly effectiveAt: string | null;
  readonly actor: string;
  readonly index: number;
  readonly at: string;
}

const verbs: Readonly<Record<PolicyAction, string>> = {
  'policy.published': 'publish',
  'policy.promoted': 'promote',
  'policy.rolledback': 'rollback',
  'policy.activated': 'effective',
};

/** The change of a channel that an entry tells of, or null when it tells of something else. */
export function policyChangeOf(tenant: string, entry: JournalEntry): PolicyChange | null {
  if (!isPolicyAction(entry.action)) return null;
  const after = entry.after as unknown as ChangedLane;
  const before = entry.before as unknown as ChangedLane | null;
  const { channel, snapshot, version, gen, effectiveAt } = after;
  return {
    tenant,
    id: entry.subject,
    channel,
    snapshot,
    version,
    gen,
    action: entry.action,
    reason: entry.reason ?? verbs[entry.action],
    before: before?.snapshot ?? null,
    effectiveAt,
    actor: entry.actor,
    index: entry.index,
    at: entry.at,
  };
}

/** The events of an entry: `policy.updated` for each change, and one more for a rollback. */
export function policyEventsOf(tenant: string, entry: JournalEntry): BusEvent[] {
  const change = policyChangeOf(tenant, entry);
  if (change === null) return [];
  const types =
    entry.action === 'policy.rolledback'
      ? ['policy.updated', 'policy.rolledback']
      : ['policy.updated'];
  return types.map((type) => ({
    specversion: '1.0',
    id: `${tenant}/${entry.index}/${type}`,
    source: 'hms.policies',
    type,
    subject: entry.subject,
    time: entry.at,
    datacontenttype: 'application/json',
    data: { ...change } as Json,
  }));
}

function isPolicyAction(action: string): action is PolicyAction {
  return Object.hasOwn(verbs, action);
}
