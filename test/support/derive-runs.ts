import assert from 'node:assert/strict';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import { sortableIndex } from '../../src/core/journal/journal-keys.ts';
import type { Channel } from '../../src/core/policies/channel.ts';
import {
  openRunKey,
  runCounterKey,
  runKey,
  runLanesKey,
  ticketKey,
} from '../../src/core/rollouts/run-keys.ts';
import type { RecordKey } from '../../src/ports/record-store.ts';

/** A run as its entries tell it. */
interface DerivedRun {
  readonly run: number;
  readonly channel: Channel;
  readonly status: string;
  readonly outcome: string | null;
  readonly policies: readonly { readonly id: string; readonly snapshot: string }[];
  /** `'none begun'`, or as the last entry has them. */
  readonly stages: unknown;
  readonly author: string;
  readonly createdAt: string;
  readonly firstIndex: number;
  readonly reason: string | null;
  readonly waitsFor: number | null;
  readonly isReleased: boolean;
  readonly isEnded: boolean;
  readonly ticket: string | null;
}

interface RunAfter extends Pick<DerivedRun, 'run' | 'channel' | 'status' | 'policies'> {
  readonly outcome?: string | null;
  readonly waitsFor?: number | null;
  readonly stages?: readonly { readonly name: string; readonly status: string }[];
  readonly ticket?: { readonly id: string; readonly status: string };
}

interface Lanes {
  holders: Record<string, number>;
  waiting: Record<string, number>;
}

const endings = new Set(['succeeded', 'rejected', 'failed', 'aborted', 'superseded', 'expired']);

/** Which status may follow which: a run goes forward, or ends. */
const forward: Readonly<Record<string, readonly string[]>> = {
  queued: ['queued', 'linting'],
  linting: ['linting', 'simulating'],
  simulating: ['simulating', 'approving', 'canary', 'rolling-out'],
  approving: ['approving', 'canary', 'rolling-out'],
  canary: ['canary', 'approving', 'rolling-out'],
  'rolling-out': ['rolling-out', 'notifying'],
  notifying: ['notifying'],
};

type Put = (key: RecordKey, value: unknown) => void;

/**
 * The records of a tenant's runs as its journal implies them. Throws where the entries contradict
 * each other: a step back, a second end, two holders of one lane, a verdict that was overturned.
 */
export class DerivedRuns {
  readonly #tenant: string;
  readonly #runs = new Map<number, DerivedRun>();
  readonly #lanes = new Map<Channel, Lanes>();
  readonly #tickets = new Map<string, { readonly run: number; readonly status: string }>();

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  take(entry: JournalEntry): void {
    if (entry.action === 'ticket.closed') this.#closeTicket(entry);
    if (!entry.action.startsWith('run.')) return;
    const after = entry.after as unknown as RunAfter;
    const where = `entry ${sortableIndex(entry.index)}: run ${after.run}`;
    assert.equal(entry.subject, `run:${after.run}`, where);
    if (!this.#runs.has(after.run)) this.#queue(after, entry, where);
    else this.#step(after, entry, where);
  }

  stateOf(run: number): { readonly status: string; readonly holds: (lane: string) => boolean } {
    const { status = 'unknown', channel } = this.#runs.get(run) ?? {};
    const holders = channel === undefined ? {} : this.#lanesOf(channel).holders;
    return { status, holds: (lane) => holders[lane.replace(` ${channel}`, '')] === run };
  }

  putInto(put: Put): void {
    const tenant = this.#tenant;
    for (const record of this.#runs.values()) {
      const ref = { tenant, run: record.run };
      put(runKey(ref), record);
      if (!record.isEnded) put(openRunKey(ref), ref);
    }
    for (const [channel, lanes] of this.#lanes) put(runLanesKey(tenant, channel), lanes);
    for (const [id, ticket] of this.#tickets) put(ticketKey(tenant, id), { id, ...ticket });
    if (this.#runs.size > 0) put(runCounterKey(tenant), { last: this.#runs.size });
  }

  #queue(after: RunAfter, entry: JournalEntry, where: string): void {
    const { actor, at, index, reason } = entry;
    const { run, channel, policies, waitsFor = null } = after;
    assert.equal(run, this.#runs.size + 1, `${where} is not the next`);
    assert.equal(entry.action, 'run.queued', where);
    assert.equal(after.status, 'queued', where);
    this.#runs.set(run, {
      run,
      channel,
      status: 'queued',
      outcome: null,
      policies,
      stages: 'none begun',
      author: actor,
      createdAt: at,
      firstIndex: index,
      reason,
      waitsFor,
      isReleased: false,
      isEnded: false,
      ticket: null,
    });
    if (waitsFor === null) this.#hold(after, where);
    else for (const { id } of policies) this.#lanesOf(channel).waiting[id] = run;
  }

  #step(after: RunAfter, entry: JournalEntry, where: string): void {
    const was = this.#runs.get(after.run);
    assert.ok(was !== undefined);
    assert.ok(!was.isEnded, `${where} ended before`);
    const { channel, policies, outcome = null, stages = [], ticket, waitsFor = null } = after;
    assert.deepEqual(
      { channel, policies },
      { channel: was.channel, policies: was.policies },
      where,
    );
    const isEnded = endings.has(after.status);
    assert.equal(outcome !== null, isEnded, `${where}: an outcome`);
    const allowed = forward[was.status] ?? [];
    assert.ok(
      isEnded || allowed.includes(after.status),
      `${where}: ${was.status} to ${after.status}`,
    );
    assert.deepEqual(entry.before, { status: was.status }, `${where}: before`);
    if (was.waitsFor !== null && waitsFor === null && !isEnded) this.#hold(after, where);
    const isReleased = entry.action === 'run.released' || was.isReleased;
    if (after.status === 'succeeded') assert.ok(isReleased, `${where} succeeded without a release`);
    if (isEnded) this.#voidTicket(was.ticket);
    if (ticket !== undefined) {
      this.#tickets.set(ticket.id, { run: after.run, status: ticket.status });
    }
    if (isEnded || entry.action === 'run.released') this.#letGo(after);
    this.#runs.set(after.run, {
      ...was,
      status: after.status,
      outcome,
      stages: stages.every(({ status: of }) => of === 'pending') ? 'none begun' : stages,
      waitsFor,
      isReleased: isReleased && after.status !== 'aborted',
      isEnded,
      ticket: ticket?.id ?? was.ticket,
    });
  }

  #lanesOf(channel: Channel): Lanes {
    const lanes = this.#lanes.get(channel) ?? { holders: {}, waiting: {} };
    this.#lanes.set(channel, lanes);
    return lanes;
  }

  #hold({ run, channel, policies }: RunAfter, where: string): void {
    this.#letGo({ run, channel });
    const { holders, waiting } = this.#lanesOf(channel);
    for (const { id } of policies) {
      assert.equal(holders[id], undefined, `${where}: ${id} has a holder`);
      assert.ok((waiting[id] ?? 0) < run, `${where}: a newer run waits for ${id}`);
      holders[id] = run;
      delete waiting[id];
    }
  }

  #letGo({ run, channel }: Pick<RunAfter, 'run' | 'channel'>): void {
    const lanes = this.#lanesOf(channel);
    for (const held of [lanes.holders, lanes.waiting]) {
      for (const [id, holder] of Object.entries(held)) if (holder === run) delete held[id];
    }
  }

  #voidTicket(id: string | null): void {
    const ticket = id === null ? undefined : this.#tickets.get(id);
    if (id !== null && ticket?.status === 'open')
      this.#tickets.set(id, { ...ticket, status: 'void' });
  }

  #closeTicket({ after }: JournalEntry): void {
    const { ticket, run, status } = after as { ticket: string; run: number; status: string };
    assert.equal(this.#tickets.get(ticket)?.run, run, `ticket ${ticket}`);
    this.#tickets.set(ticket, { run, status });
  }
}
