import assert from 'node:assert/strict';
import { type Channel, channels } from '../../src/core/policies/channel.ts';
import type { ChannelRecord } from '../../src/core/policies/channel-record.ts';
import {
  channelHeadKey,
  policyPartition,
  summariesPartition,
  summaryKey,
} from '../../src/core/policies/policy-keys.ts';
import type { ChannelHead, PolicySummary } from '../../src/core/policies/policy-summary.ts';
import { runsPartition, ticketsPartition } from '../../src/core/rollouts/run-keys.ts';
import type { RunRecord } from '../../src/core/rollouts/run-record.ts';
import type { Ticket } from '../../src/core/rollouts/ticket.ts';
import { nameOfKey, type RecordsByKey } from './derive-records.ts';

/** The part of a record that the journal tells of. */
export function shownRecord(tenant: string, name: string, value: unknown): unknown {
  if (name.startsWith(`${runsPartition(tenant)} `)) return shownRun(value as RunRecord);
  if (name.startsWith(`${ticketsPartition(tenant)} `)) {
    const { id, run, status } = value as Ticket;
    return { id, run, status };
  }
  return withoutLeases(value);
}

function shownRun(record: RunRecord): unknown {
  const { run, channel, status, outcome, author, createdAt, firstIndex, reason } = record;
  const { waitsFor, ticket, releasedAtMs, endedAt, policies, stages } = record;
  const told = { run, channel, status, outcome, author, createdAt, firstIndex, reason };
  return {
    ...told,
    waitsFor,
    ticket,
    policies: policies.map(({ id, snapshot }) => ({ id, snapshot })),
    stages: areUnbegun(stages)
      ? 'none begun'
      : stages.map(({ name, status: of, detail }) => ({ name, status: of, detail })),
    isReleased: releasedAtMs !== null,
    isEnded: endedAt !== null,
  };
}

/** The entry that queues a run does not list its stages: they are those of every run. */
function areUnbegun(stages: RunRecord['stages']): boolean {
  const names = stages.map(({ name }) => name).filter((name) => name !== 'approve');
  return (
    names.join(' ') === 'lint simulate canary rollout notify' &&
    stages.every(({ status, detail }) => status === 'pending' && detail === null)
  );
}

function withoutLeases(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const told = Object.entries(value).filter(
    ([key]) => key !== 'leaseUntilMs' && key !== 'enforcedFromMs',
  );
  return Object.fromEntries(told.map(([key, inner]) => [key, withoutLeases(inner)]));
}

/** The channel, the summary and the head have the same of each canary, its lease, too. */
export function checkLeases(tenant: string, records: RecordsByKey): void {
  const summaries = Object.entries(records)
    .filter(([name]) => name.startsWith(`${summariesPartition(tenant)} `))
    .map(([, value]) => value as PolicySummary);
  for (const channel of channels) {
    const head = records[nameOfKey(channelHeadKey(tenant, channel))] as ChannelHead | undefined;
    for (const summary of summaries) checkLane(tenant, channel, records, summary, head);
  }
}

function checkLane(
  tenant: string,
  channel: Channel,
  records: RecordsByKey,
  { id, channels: states }: PolicySummary,
  head: ChannelHead | undefined,
): void {
  assert.ok(nameOfKey(summaryKey(tenant, id)) in records);
  const key = { partition: policyPartition(tenant, id), sort: `channel#${channel}` };
  const { canary } = (records[nameOfKey(key)] ?? {}) as Partial<ChannelRecord>;
  assert.deepEqual(states[channel]?.canary, canary, `${id}: the canary of its summary`);
  const { run: _run, rule: _rule, ...terms } = canary ?? {};
  assert.deepEqual(head?.canaries?.[id] ?? {}, terms, `${id}: the canary of the channel's head`);
}
