import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideTicket, listTickets, readTicket } from '../../../src/core/rollouts/tickets.ts';
import { requestApproval } from '../../../src/core/rollouts/tasks/ask-people.ts';
import { runKey } from '../../../src/core/rollouts/run-keys.ts';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { RolloutDesk } from '../../support/rollout-desk.ts';
import { hasEnded, RolloutStory } from './rollout-story.ts';

let desk: RolloutDesk;
let story: RolloutStory;
const hourMs = 3_600_000;

beforeEach(async () => {
  desk = new RolloutDesk();
  story = new RolloutStory(desk);
  await story.inForce('a', 'b');
});
afterEach(async () => {
  await story.consistent();
  await desk.close();
});

const isAsking = ({ status, ticket }: RunRecord) => status === 'approving' && ticket !== null;

function say(
  run: number,
  actor: string,
  decision: 'approve' | 'reject' | 'close',
  kind = 'approval',
) {
  return decideTicket(desk.deps, desk.origin(actor), `run-${run}-${kind}`, {
    decision,
    reason: `says ${actor}`,
  });
}

const ticketOf = (run: number, kind = 'approval') =>
  readTicket(desk.deps, desk.tenant, `run-${run}-${kind}`);

/** A run that waits for its approval. Its snapshots were stored by `ann`, it was made by `ben`. */
async function asking(approvals = 1): Promise<number> {
  const policies = [
    { id: 'a', snapshot: await story.store('a', '2.0.0', {}, 'ann') },
    { id: 'b', snapshot: await story.store('b', '2.0.0', {}, 'amy') },
  ];
  const { run } = await desk.create(policies, { approvals, canary: null }, 'ben');
  await desk.until(run, isAsking);
  return run;
}

describe('an approval', () => {
  it('takes the run on, and names who gave it', async () => {
    const run = await asking();
    expect(await ticketOf(run)).toMatchObject({
      kind: 'approval',
      status: 'open',
      authors: ['ben', 'ann', 'amy'],
      needs: 1,
    });
    expect(await say(run, 'eve', 'approve')).toMatchObject({ status: 'approved' });
    const record = await desk.until(run, hasEnded);
    expect(record.status).toBe('succeeded');
    const stage = record.stages.find(({ name }) => name === 'approve');
    expect(stage).toMatchObject({ status: 'passed', detail: 'approved by eve' });
    expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.0.0']);
  });

  it.each(['ann', 'amy', 'ben'])('is not for an author: %s', async (author) => {
    const run = await asking();
    for (const decision of ['approve', 'reject'] as const) {
      await expect(say(run, author, decision)).rejects.toMatchObject({ name: 'Forbidden' });
    }
    expect(await ticketOf(run)).toMatchObject({ status: 'open', decisions: [] });
  });

  it('by several needs so many different people', async () => {
    const run = await asking(3);
    await say(run, 'eve', 'approve');
    await say(run, 'eve', 'approve');
    expect((await say(run, 'fay', 'approve')).status).toBe('open');
    expect((await desk.run(run)).stages.find(({ name }) => name === 'approve')?.detail).toBe(
      '2 of 3 approved: eve, fay',
    );
    await desk.clock.advance(60_000);
    expect((await desk.run(run)).status).toBe('approving');
    expect((await say(run, 'gus', 'approve')).status).toBe('approved');
    expect((await desk.until(run, hasEnded)).status).toBe('succeeded');
  });

  it('by several at once counts each', async () => {
    const run = await asking(4);
    const people = ['eve', 'fay', 'gus', 'hal'];
    const said = Promise.all(people.map((who) => say(run, who, 'approve')));
    await desk.clock.advance(60_000);
    await said;
    expect((await desk.until(run, hasEnded)).status).toBe('succeeded');
    const { decisions } = await ticketOf(run);
    expect(decisions.map(({ by }) => by).toSorted()).toEqual(people);
  });

  it('that is taken back before the quorum ends the run', async () => {
    const run = await asking(2);
    await say(run, 'eve', 'approve');
    await say(run, 'eve', 'reject');
    expect(await desk.run(run)).toMatchObject({
      status: 'rejected',
      outcome: 'eve rejected it: says eve',
    });
    expect((await ticketOf(run)).decisions).toHaveLength(1);
  });

  it('twice by the same person is one', async () => {
    const run = await asking();
    const first = await say(run, 'eve', 'approve');
    expect(await say(run, 'eve', 'approve')).toEqual(first);
    await desk.until(run, hasEnded);
    const entries = await story.consistent();
    expect(entries.filter(({ action }) => action === 'run.approved')).toHaveLength(1);
  });

  it('after a rejection is too late, and the other way round', async () => {
    const run = await asking();
    await say(run, 'eve', 'reject');
    await expect(say(run, 'fay', 'approve')).rejects.toMatchObject({ code: 'conflict' });
    const again = await asking();
    await say(again, 'eve', 'approve');
    await expect(say(again, 'fay', 'reject')).rejects.toMatchObject({ code: 'conflict' });
    expect((await desk.until(again, hasEnded)).status).toBe('succeeded');
  });

  it('is refused in 72 h by nobody', async () => {
    const run = await asking();
    await desk.clock.advance(72 * hourMs - 1000);
    await desk.sweep();
    expect((await desk.run(run)).status).toBe('approving');
    await desk.clock.advance(1000);
    // Before anybody has noted it.
    expect((await ticketOf(run)).status).toBe('expired');
    await expect(say(run, 'eve', 'approve')).rejects.toMatchObject({ code: 'conflict' });
    await desk.sweep();
    expect((await desk.run(run)).status).toBe('expired');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    await desk.clock.advance(4 * hourMs);
    expect((await desk.run(run)).status).toBe('expired');
  });

  it.each(['before', 'after'] as const)(
    'given %s the token is put away wakes the run',
    async (order) => {
      const run = await asking();
      const signalled: unknown[] = [];
      const workflows = {
        ...desk.deps.workflows,
        signal: async (token: string, result: unknown) => {
          signalled.push({ token, result });
          return 'delivered' as const;
        },
      };
      const deps = { ...desk.deps, workflows };
      const ask = () => requestApproval(deps, { tenant: desk.tenant, run, token: 'mine' });
      const answer = () =>
        decideTicket(deps, desk.origin('eve'), `run-${run}-approval`, {
          decision: 'approve',
          reason: null,
        });
      for (const step of order === 'before' ? [answer, ask] : [ask, answer]) await step();
      expect(signalled).toContainEqual({ token: 'mine', result: { status: 'rollout' } });
    },
  );

  it('of another tenant is not there', async () => {
    const run = await asking();
    const origin = { ...desk.origin('eve'), tenant: 'other' };
    const answer = { decision: 'approve', reason: null } as const;
    await expect(
      decideTicket(desk.deps, origin, `run-${run}-approval`, answer),
    ).rejects.toMatchObject({ name: 'NotFound' });
    expect((await listTickets(desk.deps, 'other', undefined, 10)).items).toEqual([]);
    expect((await ticketOf(run)).status).toBe('open');
  });

  it('does not give a choice to close', async () => {
    const run = await asking();
    await expect(say(run, 'eve', 'close')).rejects.toMatchObject({ name: 'InvalidRequest' });
  });

  it('is void once its run was aborted', async () => {
    const run = await asking();
    await story.abort(run);
    expect((await ticketOf(run)).status).toBe('void');
    await expect(say(run, 'eve', 'approve')).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('an approval is for what was looked at, and void when', () => {
  it('a lane has moved', async () => {
    const run = await asking();
    await story.publish('b', '1.5.0');
    expect(await say(run, 'eve', 'approve')).toMatchObject({ status: 'void' });
    expect((await desk.until(run, hasEnded)).status).toBe('superseded');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.5.0']);
  });

  it('a lane has moved, and moved back', async () => {
    const run = await asking();
    await story.publish('b', '1.5.0');
    await story.rollback('b');
    expect(await say(run, 'eve', 'approve')).toMatchObject({ status: 'void' });
  });

  it.each<[string, (run: RunRecord) => unknown]>([
    ['the report', (run) => ({ ...run, simulation: { report: '/other' } })],
    [
      'a digest',
      ({ policies: [first, ...rest], ...run }) => ({
        ...run,
        policies: [{ ...first, digest: '0'.repeat(64) }, ...rest],
      }),
    ],
  ])('%s has changed', async (_, change) => {
    const run = await asking();
    const key = runKey({ tenant: desk.tenant, run });
    const found = await desk.deps.records.get(key);
    const value = change(found?.value as unknown as RunRecord);
    const write = { kind: 'put', key, value, expect: found?.rev ?? 0 } as const;
    await desk.deps.records.commit([write], 'token');
    expect(await say(run, 'eve', 'approve')).toMatchObject({ status: 'void' });
    expect((await desk.run(run)).status).toBe('superseded');
  });

  it('a lane moves between the approval and the rollout', async () => {
    const run = await asking();
    desk.beforeTask = (task) => {
      if (task !== 'release-rules') return;
      desk.beforeTask = () => undefined;
      throw Object.assign(new Error('slow'), { name: 'Unavailable' });
    };
    await say(run, 'eve', 'approve');
    await desk.settle();
    await story.publish('a', '1.5.0');
    expect((await desk.until(run, hasEnded)).status).toBe('superseded');
    expect(await story.versions('a', 'b')).toEqual(['1.5.0', '1.0.0']);
  });
});
