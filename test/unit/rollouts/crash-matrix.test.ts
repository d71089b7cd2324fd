import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import { decideTicket, listTickets, readTicket } from '../../../src/core/rollouts/tickets.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { quickCanary } from '../../support/rollout-desk.ts';
import { Killed } from '../journal/mortal.ts';
import { type Death, MortalDesk } from './mortal-desk.ts';
import { RolloutStory } from './rollout-story.ts';
import { whileTimePasses } from './while-time-passes.ts';

/** How long a partner's claim lasts: only after it the same notice may be sent again. */
const claimSeconds = 60;

interface Scenario {
  readonly name: string;
  readonly plan: Partial<typeof quickCanary>;
  readonly approvals: number;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'approved, tried and released',
    plan: { allowSilent: true, observeSeconds: 2 },
    approvals: 1,
  },
  { name: 'reviewed and released', plan: { observeSeconds: 1 }, approvals: 0 },
];

/** One life of a run about two policies, from its creation to its end, whatever dies meanwhile. */
async function lifeOf({ plan, approvals }: Scenario, death: Death | null) {
  const desk = new MortalDesk();
  const story = new RolloutStory(desk);
  await story.inForce('a', 'b');
  await putPartner(desk.deps, desk.origin(), 'state', {
    target: { kind: 'email', to: ['air@state.example'] },
  });
  const policies: { id: string; snapshot: string }[] = [];
  for (const id of ['a', 'b']) policies.push({ id, snapshot: await story.store(id, '2.0.0') });
  const canary = { ...quickCanary, percent: 100, ...plan };
  const asked = { canary, partners: ['state'], approvals };
  desk.live(death);
  for (let second = 0; second < 400; second++) {
    if (desk.isDead) {
      await assertConsistent(desk.kept, desk.tenant);
      await desk.revive();
    }
    await during(desk, async () => {
      if ((await desk.stored(1)) === undefined) await desk.create(policies, asked);
      await desk.settle();
      await answer(desk);
      if (second % 10 === 0) await desk.sweep();
    });
    await desk.settle();
    if (!desk.isDead && (await desk.stored(1))?.endedAt) break;
    await desk.clock.advance(1000);
  }
  await desk.revive();
  // What is left to tell.
  for (let sweeps = 0; sweeps < 4; sweeps++) {
    await desk.clock.advance(claimSeconds * 500);
    await desk.sweep();
  }
  await desk.close();
  return { desk, story };
}

/** Who gets no answer asks again. */
async function during(desk: MortalDesk, work: () => Promise<void>): Promise<void> {
  await whileTimePasses(desk, work).catch((error: unknown) => {
    if (!(error instanceof Killed || error instanceof Unavailable)) throw error;
  });
}

/** A person who says yes to everything. */
async function answer(desk: MortalDesk): Promise<void> {
  const run = await desk.stored(1);
  if (run?.status !== 'approving' || run.ticket === null) return;
  const yes = { decision: 'approve', reason: null } as const;
  await decideTicket(desk.deps, desk.origin('eve'), run.ticket, yes);
}

async function expectWell(
  { desk, story }: Awaited<ReturnType<typeof lifeOf>>,
  what: string,
): Promise<void> {
  const run = await desk.stored(1);
  expect(run, what).toMatchObject({ status: 'succeeded' });
  expect(await desk.stored(2), what).toBeUndefined();
  expect(await story.versions('a', 'b'), what).toEqual(['2.0.0', '2.0.0']);
  const times = new Map<string, number>();
  for (const { notice } of desk.sent) {
    const lastS = times.get(notice.id) ?? -Infinity;
    expect(notice.timestampS - lastS, `${what}: ${notice.id}`).toBeGreaterThanOrEqual(claimSeconds);
    times.set(notice.id, notice.timestampS);
  }
  expect([...times.keys()], what).toHaveLength(1);
  await assertConsistent(desk.kept, desk.tenant);
}

describe.each(scenarios)('a run that is $name', (scenario) => {
  /** A life for each call that a clean one makes. */
  async function each(
    of: Death['of'],
    check: (life: Awaited<ReturnType<typeof lifeOf>>, what: string) => Promise<void>,
  ): Promise<void> {
    const clean = await lifeOf(scenario, null);
    await expectWell(clean, 'alive');
    expect(clean.desk.sent).toHaveLength(1);
    const { called } = clean.desk;
    expect(called.length).toBeGreaterThan(100);
    let failures = 0;
    for (const [index, method] of called.entries()) {
      // Before or after a read, what is there is the same.
      const moments = method === 'commit' ? (['before', 'after'] as const) : (['before'] as const);
      for (const moment of moments) {
        const life = await lifeOf(scenario, { call: index + 1, moment, of });
        failures += life.desk.failures;
        await check(life, `${of} died ${moment} call ${index + 1}, ${method}`);
      }
    }
    expect(failures).toBeGreaterThan(called.length * 0.9);
  }

  it('ends well, killed at any call of the store', async () => {
    await each('process', expectWell);
  });

  it('ends well, whichever call the store does not answer', async () => {
    await each('answer', expectWell);
  });

  it('ends truly, whichever call makes its process fail', async () => {
    const ends = new Set<string>();
    await each('task', async (life, what) => {
      const run = await life.desk.stored(1);
      ends.add(run?.status ?? 'none');
      if (run?.status === 'succeeded') return expectWell(life, what);
      expect(run, what).toMatchObject({ status: 'failed', ticket: 'run-1-review' });
      expect(await life.story.versions('a', 'b'), what).toEqual(['1.0.0', '1.0.0']);
      expect(life.desk.sent, what).toEqual([]);
      const entries = await assertConsistent(life.desk.kept, life.desk.tenant);
      expect(entries.at(-1), what).toMatchObject({ action: 'run.ended' });
      const ticket = await readTicket(life.desk.deps, life.desk.tenant, 'run-1-review');
      expect(ticket, what).toMatchObject({ status: 'open', choices: ['close'] });
      const { items } = await listTickets(life.desk.deps, life.desk.tenant, undefined, 10);
      const open = items.filter(({ status }) => status === 'open');
      expect(open, what).toHaveLength(1);
    });
    expect([...ends].toSorted()).toEqual(['failed', 'succeeded']);
  });
});
