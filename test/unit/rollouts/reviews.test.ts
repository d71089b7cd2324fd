import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { decideTicket, readTicket } from '../../../src/core/rollouts/tickets.ts';
import { CanaryReports } from '../../support/canary-reports.ts';
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

const isAsking = ({ status, ticket, progress }: RunRecord) =>
  status === 'approving' && ticket !== null && progress !== null;

function say(
  run: number,
  actor: string,
  decision: 'approve' | 'reject' | 'close',
  kind = 'review',
) {
  const answer = { decision, reason: `says ${actor}` };
  return decideTicket(desk.deps, desk.origin(actor), `run-${run}-${kind}`, answer);
}

/** A run whose canary told nothing. */
async function reviewed(): Promise<number> {
  const run = await story.canary(['a', 'b'], '2.0.0');
  await desk.until(run, isAsking, 300);
  return run;
}

describe('a review', () => {
  it('that says yes takes the rule to everyone', async () => {
    const run = await reviewed();
    expect(await story.version('a')).toBe('1.0.0');
    expect((await say(run, 'eve', 'approve')).status).toBe('approved');
    expect((await desk.until(run, hasEnded)).status).toBe('succeeded');
    expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.0.0']);
  });

  it('that says no fails the run', async () => {
    const run = await reviewed();
    await say(run, 'eve', 'reject');
    expect((await desk.until(run, hasEnded)).status).toBe('failed');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  });

  it('is void when a rule has changed since', async () => {
    const run = await reviewed();
    await story.publish('b', '1.5.0');
    expect((await say(run, 'eve', 'approve')).status).toBe('void');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.5.0']);
  });

  it('is not for an author, and lasts 24 h', async () => {
    const run = await reviewed();
    await expect(say(run, 'ann', 'approve')).rejects.toMatchObject({ name: 'Forbidden' });
    await desk.clock.advance(24 * hourMs);
    await desk.sweep();
    expect((await desk.run(run)).status).toBe('expired');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  });

  it('of a failed canary has nothing to decide, and is closed once', async () => {
    const run = await story.canary(['a'], '2.0.0');
    const reports = new CanaryReports(desk, 'a');
    const { snapshot = '' } = (await desk.run(run)).policies[0] ?? {};
    for (const name of ['smoke', 'fire']) await reports.alert(snapshot, name);
    await desk.until(run, hasEnded, 10);
    await expect(say(run, 'eve', 'approve')).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
    await desk.clock.advance(30 * hourMs);
    await desk.sweep();
    const closed = await say(run, 'eve', 'close');
    expect(closed.status).toBe('closed');
    expect(await say(run, 'fay', 'close')).toEqual(closed);
    expect((await desk.run(run)).status).toBe('failed');
  });

  it('survives the approval before it', async () => {
    const { run } = await story.create(['a'], '2.0.0', { approvals: 1 });
    await desk.until(run, ({ ticket }) => ticket !== null);
    await say(run, 'eve', 'approve', 'approval');
    await desk.until(run, isAsking, 300);
    const approval = await readTicket(desk.deps, desk.tenant, `run-${run}-approval`);
    expect(approval.status).toBe('approved');
    await say(run, 'eve', 'approve');
    expect((await desk.until(run, hasEnded)).status).toBe('succeeded');
  });
});
