import { describe, expect, it } from 'vitest';
import { listChannel } from '../../../src/core/policies/list-policies.ts';
import { summaryKey } from '../../../src/core/policies/policy-keys.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import { makeTasks } from '../../../src/core/rollouts/make-tasks.ts';
import type { RecordStore } from '../../../src/ports/record-store.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { quickCanary, RolloutDesk } from '../../support/rollout-desk.ts';
import { anybody, hasEnded, isTried, RolloutStory } from './rollout-story.ts';

// The first and the last of a long list: no one read brings both.
const ids = Array.from({ length: 20 }, (_, n) => (n < 10 ? `a-${n}` : `z-${n}`));
const reads = { get: 0, getMany: 0, query: 0 } as const;
/** Of DynamoDB. */
const maxTransactionItems = 100;

class Bundle {
  readonly desk: RolloutDesk;
  readonly story: RolloutStory;
  /** What a commit wrote at most. */
  mostWrites = 0;

  constructor() {
    const clock = new ManualClock();
    const records = interceptMethods(memoryRecords(clock), { commit: 0 }, (_, [writes], call) => {
      this.mostWrites = Math.max(this.mostWrites, (writes as readonly unknown[]).length);
      return call();
    });
    this.desk = new RolloutDesk({ clock, records });
    this.story = new RolloutStory(this.desk);
  }

  /** Policies that no channel has, between those of the bundle. */
  async lengthenList(): Promise<void> {
    for (let from = 0; from < 1000; from += 100) {
      const writes = Array.from({ length: 100 }, (_, n) => {
        const id = `m-${from + n}`;
        const value = { id, createdAt: '2026-01-01T00:00:00.000Z', channels: {} };
        return {
          kind: 'put',
          key: summaryKey(this.desk.tenant, id),
          value,
          expect: 'absent',
        } as const;
      });
      await this.desk.deps.records.commit(writes, `list-${from}`);
    }
  }

  manifest(records: RecordStore = this.desk.deps.records) {
    const deps = { ...this.desk.deps, records };
    return listChannel(deps, this.desk.tenant, 'prod', anybody, undefined, 100);
  }
}

type Manifest = Awaited<ReturnType<Bundle['manifest']>>;

const versionsIn = ({ items }: Manifest) => [
  ...new Set(items.map(({ inForce }) => inForce?.version)),
];

/**
 * Makes the change between any two calls of a manifest's read: it is the one before or the one
 * after, with its tag.
 */
async function expectWhole(
  prepare: (bundle: Bundle) => Promise<() => Promise<unknown>>,
  from: string,
  to: string,
): Promise<void> {
  for (let at = 1, isMade = true; isMade; at++) {
    isMade = false;
    let calls = 0;
    const bundle = new Bundle();
    await bundle.story.inForce(...ids);
    await bundle.lengthenList();
    const change = await prepare(bundle);
    const before = await bundle.manifest();
    const whileItChanges = interceptMethods(
      bundle.desk.deps.records,
      reads,
      async (_, __, read) => {
        calls += 1;
        if (calls === at) {
          isMade = true;
          await change();
        }
        return read();
      },
    );
    const during = await bundle.manifest(whileItChanges);
    expect(at).toBeLessThan(20);
    if (!isMade) await change();
    const after = await bundle.manifest();
    expect([versionsIn(before), versionsIn(after)]).toEqual([[from], [to]]);
    expect(before.tag).not.toBe(after.tag);
    expect([before, after], `the change came at call ${at}`).toContainEqual(during);
    expect(calls).toBeGreaterThanOrEqual(4);
    await bundle.desk.close();
  }
}

const longCanary = { percent: 100, observeSeconds: 3600 };

describe('a manifest shows a bundle of 20 whole', () => {
  it('when its canary begins', async () => {
    await expectWhole(
      async ({ desk, story }) => {
        desk.beforeTask = (task) => {
          if (task === 'start-canary') throw new Error('by hand');
        };
        const canary = { ...quickCanary, ...longCanary };
        const { run } = await story.create(ids, '2.0.0', { canary });
        await desk.until(run, ({ status }) => status === 'canary');
        return () => makeTasks(desk.deps)['start-canary']({ tenant: desk.tenant, run });
      },
      '1.0.0',
      '2.0.0',
    );
  });

  it('when it is aborted', async () => {
    await expectWhole(
      async ({ story }) => {
        const run = await story.canary(ids, '2.0.0', longCanary);
        return () => story.abort(run);
      },
      '2.0.0',
      '1.0.0',
    );
  });

  it('when it is released', async () => {
    await expectWhole(
      async ({ desk, story }) => {
        desk.beforeTask = (task) => {
          if (task === 'release-rules') throw new Error('by hand');
        };
        const { run } = await story.create(ids, '2.0.0', { canary: null });
        await desk.until(run, ({ status }) => status === 'rolling-out');
        return () => makeTasks(desk.deps)['release-rules']({ tenant: desk.tenant, run });
      },
      '1.0.0',
      '2.0.0',
    );
  });

  it('when its lease is renewed after it had run out', async () => {
    await expectWhole(
      async ({ desk, story }) => {
        const run = await story.canary(ids, '2.0.0', longCanary);
        await desk.close();
        await desk.clock.advance(100_000);
        return () => makeTasks(desk.deps)['observe-canary']({ tenant: desk.tenant, run });
      },
      '1.0.0',
      '2.0.0',
    );
  });
});

describe('a bundle of 20', () => {
  it('goes from end to end, with partners, within the limits of a transaction', async () => {
    const bundle = new Bundle();
    const { desk, story } = bundle;
    await story.inForce(...ids);
    const partners = Array.from({ length: 20 }, (_, n) => `partner-${n}`);
    for (const name of partners) {
      const target = { kind: 'email', to: [`${name}@state.example`] } as const;
      await putPartner(desk.deps, desk.origin(), name, { target });
    }
    const plan = { percent: 100, allowSilent: true };
    const run = await story.canary(ids, '2.0.0', plan, { partners });
    expect(new Set(await story.versions(...ids))).toEqual(new Set(['2.0.0']));
    expect((await desk.until(run, hasEnded, 90)).status).toBe('succeeded');
    expect(new Set(await story.versions(...ids))).toEqual(new Set(['2.0.0']));
    expect(desk.sent).toHaveLength(20);
    await story.consistent();
    expect(bundle.mostWrites).toBeGreaterThan(60);
    expect(bundle.mostWrites).toBeLessThanOrEqual(maxTransactionItems);
    await desk.close();
  });

  it('with rules that wait, whose time comes meanwhile, stays within the limits', async () => {
    const bundle = new Bundle();
    const { desk, story } = bundle;
    await story.inForce(...ids);
    const effective = new Date(desk.clock.nowMs() + 30_000).toISOString();
    for (const id of ids) await story.publish(id, '1.5.0', { effective });
    const run = await story.canary(ids, '2.0.0', longCanary);
    desk.clock.set(Date.parse(effective));
    expect((await story.abort(run)).status).toBe('aborted');
    expect(new Set(await story.versions(...ids))).toEqual(new Set(['1.5.0']));
    await story.consistent();
    expect(bundle.mostWrites).toBeLessThanOrEqual(maxTransactionItems);
    await desk.close();
  });

  it('keeps its canary when a rule that waited takes effect for all others', async () => {
    const { desk, story } = new Bundle();
    await story.inForce('a', 'b');
    const effective = new Date(desk.clock.nowMs() + 30_000).toISOString();
    await story.publish('a', '1.5.0', { effective });
    const run = await story.canary(['a', 'b'], '2.0.0', longCanary);
    await desk.clock.advance(40_000);
    await desk.sweep();
    expect((await story.record('a'))?.current?.version).toBe('1.5.0');
    expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.0.0']);
    await desk.clock.advance(60_000);
    await story.consistent();
    await story.abort(run);
    expect(await story.versions('a', 'b')).toEqual(['1.5.0', '1.0.0']);
    await story.consistent();
    await desk.close();
  });

  it('that would write too much is refused, with everyone on the old rules', async () => {
    const { desk, story } = new Bundle();
    await story.inForce(...ids);
    const times = [3_600_000, 7_200_000].map((ms) =>
      new Date(desk.clock.nowMs() + ms).toISOString(),
    );
    for (const id of ids) await story.publish(id, '1.5.0', { effective: times[0] });
    const policies = [];
    for (const id of ids) {
      policies.push({ id, snapshot: await story.store(id, '2.0.0', { effective: times[1] }) });
    }
    const { run } = await desk.create(policies, { canary: null });
    const record = await desk.until(run, hasEnded);
    expect(record).toMatchObject({ status: 'failed' });
    expect(record.outcome).toContain('in two runs');
    expect(new Set(await story.versions(...ids))).toEqual(new Set(['1.0.0']));
    await story.consistent();
    await desk.close();
  });

  it('is rejected as a whole when the lint of one member fails', async () => {
    const { desk, story } = new Bundle();
    for (const id of ids) await story.publish(id, '1.0.0', { limit: 35, units: 'ug' });
    const policies = [];
    for (const [place, id] of ids.entries()) {
      const fields = place === 13 ? { limit: 25 } : { limit: 25, units: 'ug' };
      policies.push({ id, snapshot: await story.store(id, '1.0.1', fields) });
    }
    const { run } = await desk.create(policies, { canary: null });
    const record = await desk.until(run, hasEnded);
    expect(record.status).toBe('rejected');
    expect(record.outcome).toContain(ids[13]);
    expect(new Set(await story.versions(...ids))).toEqual(new Set(['1.0.0']));
    await story.consistent();
    await desk.close();
  });

  it('of which one has no rule yet is released without a canary', async () => {
    const { desk, story } = new Bundle();
    await story.inForce('a-0');
    const { run } = await story.create(['a-0', 'new'], '2.0.0');
    const record = await desk.until(run, hasEnded);
    expect(isTried(record)).toBe(false);
    expect(record.stages.find(({ name }) => name === 'canary')).toMatchObject({
      status: 'skipped',
      detail: 'new has no rule in force: there is nothing to go back to',
    });
    expect(await story.versions('a-0', 'new')).toEqual(['2.0.0', '2.0.0']);
    await story.consistent();
    await desk.close();
  });
});
