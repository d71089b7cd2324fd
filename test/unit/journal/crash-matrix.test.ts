import { describe, expect, it } from 'vitest';
import { addAttachment } from '../../../src/core/attachments/attachments.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import { activateDue } from '../../../src/core/policies/activate-due.ts';
import { channels } from '../../../src/core/policies/channel.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';
import { Killed, Life } from './mortal.ts';

interface Scenario {
  readonly name: string;
  readonly prepare: (demo: TenantCalls, deps: CoreDeps) => Promise<unknown>;
  /** A call that a client may repeat until it is answered. */
  readonly act: (demo: TenantCalls, deps: CoreDeps) => Promise<unknown>;
}

const large = { version: '9.0.0', text: 'x'.repeat(120_000) };
const tomorrow = { version: '5.0.0', effective: '2026-01-02T00:00:00Z' };
const nothing = async (): Promise<void> => undefined;
const two = async (demo: TenantCalls): Promise<void> => {
  await demo.publish('prod', { version: '1.0.0' });
  await demo.publish('prod', { version: '2.0.0' });
};

const scenarios: readonly Scenario[] = [
  {
    name: 'the first publish of a tenant',
    prepare: nothing,
    act: (demo) => demo.publish('prod', { version: '1.0.0' }),
  },
  { name: 'a further publish', prepare: two, act: (demo) => demo.publish('prod', large) },
  {
    name: 'a publish of what waits for its time',
    prepare: two,
    act: (demo) => demo.publish('prod', tomorrow),
  },
  {
    name: 'a publish in place of what waits',
    prepare: (demo) => two(demo).then(() => demo.publish('prod', tomorrow)),
    act: (demo) => demo.publish('prod', { ...tomorrow, effective: '2026-01-03T00:00:00Z' }),
  },
  { name: 'a promotion', prepare: two, act: (demo) => demo.promote('prod', 'test') },
  { name: 'a rollback', prepare: two, act: (demo) => demo.rollback('prod', '1.0.0') },
  {
    name: 'a rollback while a rule waits',
    prepare: (demo) => two(demo).then(() => demo.publish('prod', tomorrow)),
    act: (demo) => demo.rollback('prod', '2.0.0'),
  },
  {
    name: 'an activation',
    prepare: async (demo, { clock }) => {
      await two(demo);
      await demo.publish('prod', tomorrow);
      clock.set(Date.UTC(2026, 0, 2));
    },
    act: (_, deps) => activateDue(deps),
  },
  { name: 'a stored snapshot', prepare: nothing, act: (demo) => demo.store(large) },
  {
    name: 'an attachment',
    prepare: two,
    act: (demo, deps) =>
      addAttachment(deps, demo.origin(), 'p', {
        name: 'opinion.pdf',
        contentType: 'application/pdf',
        bytes: new Uint8Array([1, 2, 3]),
        reason: null,
      }),
  },
];

/** The scenario up to `act`. `deps` is what is left after the process is gone. */
async function prepared({ prepare }: Scenario) {
  const deps = coreDeps();
  await prepare(new TenantCalls(deps), deps);
  const run = (part: Partial<CoreDeps>) => {
    const own = { ...deps, ...part };
    return { demo: new TenantCalls(own), deps: own };
  };
  return { deps, run };
}

/** All that a client sees in the end, and the entries but for ids. */
async function outcome(deps: CoreDeps) {
  const demo = new TenantCalls(deps);
  const options = { blobs: deps.blobs, policies: ['p'] };
  const entries = await assertConsistent(deps.records, 'demo', options);
  return {
    rules: await Promise.all(channels.map((channel) => demo.version(channel))),
    entries: entries.map(({ commitId: _, requestId: __, ...entry }: JournalEntry) => entry),
  };
}

function mortal(deps: CoreDeps, life: Life): Partial<CoreDeps> {
  return {
    records: life.during(deps.records, 'get', 'getMany', 'query', 'commit'),
    blobs: life.during(deps.blobs, 'put', 'get', 'head'),
  };
}

describe.each(scenarios)('$name', (scenario) => {
  async function clean() {
    const { deps, run } = await prepared(scenario);
    const life = new Life();
    const before = await outcome(deps);
    const own = run(mortal(deps, life));
    await scenario.act(own.demo, own.deps);
    const after = await outcome(deps);
    expect(after.entries).toHaveLength(before.entries.length + 1);
    return { calls: life.calls, before, after };
  }

  it.each(['before', 'after'] as const)(
    'is whole or not at all, killed %s any call',
    async (moment) => {
      const { calls, before, after } = await clean();
      expect(calls).toBeGreaterThanOrEqual(3);
      for (let diesAt = 1; diesAt <= calls; diesAt++) {
        const { deps, run } = await prepared(scenario);
        const own = run(mortal(deps, new Life(diesAt, moment)));
        await expect(scenario.act(own.demo, own.deps)).rejects.toBeInstanceOf(Killed);

        expect([before, after]).toContainEqual(await outcome(deps));
        const again = run({});
        await scenario.act(again.demo, again.deps);
        expect(await outcome(deps)).toEqual(after);
      }
    },
  );

  it.each(['not-written', 'written-but-failed'] as const)(
    'is done once, any call %s',
    async (fault) => {
      const { calls, after } = await clean();
      for (let failsAt = 1; failsAt <= calls; failsAt++) {
        const { deps, run } = await prepared(scenario);
        let call = 0;
        let failed = '';
        const faults = ({ method }: { method: string }) => {
          call += 1;
          if (call !== failsAt) return undefined;
          failed = method;
          return fault;
        };
        const records = faultyRecords(deps.records, faults);
        const own = run({ records, blobs: faultyBlobs(deps.blobs, faults) });
        const first = await scenario.act(own.demo, own.deps).catch((error: unknown) => error);
        expect(failed).not.toBe('');
        // A commit is repeated here; what else fails is told to the client, who repeats the call.
        if (failed === 'commit') expect(first).not.toBeInstanceOf(Error);
        else expect(first).toBeInstanceOf(Unavailable);
        if (first instanceof Error) await scenario.act(own.demo, own.deps);
        expect(await outcome(deps)).toEqual(after);
      }
    },
  );
});
