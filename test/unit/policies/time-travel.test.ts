import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import type { Upload } from '../../../src/core/policies/accept-package.ts';
import { activateDue } from '../../../src/core/policies/activate-due.ts';
import { channels } from '../../../src/core/policies/channel.ts';
import {
  listChannel,
  listPolicies,
  manifestTag,
  type Page,
} from '../../../src/core/policies/list-policies.ts';
import type { Movement } from '../../../src/core/policies/movement.ts';
import { readHistory } from '../../../src/core/policies/read-history.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { randomFrom } from '../journal/notes.ts';
import { rule, TenantCalls } from './tenant-calls.ts';
import { type ModelRule, type Outcome, TimeTravelModel } from './time-travel-model.ts';

const startMs = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;
const ids = ['p', 'q'] as const;
type Id = (typeof ids)[number];

/** Some in force at once, some long since, some at times that two have in common. */
const rules: readonly ModelRule[] = [null, null, null, -60, 0, 5, 5, 10, 12, 30].map(
  (minutes, i) => ({
    version: `${i + 1}.0.0`,
    effectiveMs: minutes === null ? null : startMs + minutes * minuteMs,
  }),
);

/** Packed once for all runs. */
const uploads = new Map(
  ids.flatMap((id) =>
    rules.map(({ version, effectiveMs }) => {
      const effective =
        effectiveMs === null ? {} : { effective: new Date(effectiveMs).toISOString() };
      const upload: Upload = {
        form: 'zip',
        bytes: packPolicy(rule(id, { version, ...effective }).bytes),
      };
      return [`${id} ${version}`, upload];
    }),
  ),
);

function uploadOf(id: Id, { version }: ModelRule): Upload {
  const upload = uploads.get(`${id} ${version}`);
  if (upload === undefined) throw new Error('no such rule');
  return upload;
}

interface Real {
  readonly deps: CoreDeps;
  readonly calls: Readonly<Record<Id, TenantCalls>>;
  /** What each tag of a manifest was seen to stand for. */
  readonly tagged: Map<string, unknown>;
}

type Command = fc.AsyncCommand<TimeTravelModel, Real>;

async function outcomeOf(movement: Promise<Movement>): Promise<Outcome> {
  return movement.then(
    ({ status, version, gen, effectiveAt }) => ({
      status,
      version,
      gen,
      effectiveMs: effectiveAt === null ? null : Date.parse(effectiveAt),
    }),
    (error: unknown) => {
      if (error instanceof Error && 'code' in error) return String(error.code);
      throw error;
    },
  );
}

/** What every reader sees now, after each command. */
async function compareNow(model: TimeTravelModel, { deps, calls, tagged }: Real): Promise<void> {
  const { nowMs } = model;
  for (const channel of channels) {
    const wanted = [];
    for (const id of ids) {
      const lane = model.lane(id, channel);
      const inForce = lane.inForce(nowMs, nowMs)?.version;
      const found = lane.decisions.length === 0 ? 'not_found' : (inForce ?? 'not_in_force');
      expect(await calls[id].version(channel)).toBe(found);
      if (lane.decisions.length === 0) continue;
      const next = lane.waiting(nowMs);
      wanted.push({
        id,
        gen: lane.gen,
        inForce: inForce ?? null,
        next: next === undefined ? null : { version: next.rule.version, fromMs: next.fromMs },
      });
    }
    const tag = `${channel} ${await manifestTag(deps, 'demo', channel, null)}`;
    const { items } = await listChannel(deps, 'demo', channel, null, undefined, 10);
    const manifest = items.map(({ id, gen, inForce, next }) => ({
      id,
      gen,
      inForce: inForce?.version ?? null,
      next: next === null ? null : { version: next.version, fromMs: next.effectiveAtMs },
    }));
    expect(manifest).toEqual(wanted);
    expect(tagged.get(tag) ?? manifest).toEqual(manifest);
    tagged.set(tag, manifest);
  }
}

function command(
  name: string,
  run: (model: TimeTravelModel, real: Real) => Promise<{ found: unknown; wanted: unknown }>,
): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      const { found, wanted } = await run(model, real);
      expect(found).toEqual(wanted);
      await compareNow(model, real);
    },
    toString: () => name,
  };
}

const anId = fc.constantFrom(...ids);
const aChannel = fc.constantFrom(...channels);
const aRule = fc.constantFrom(...rules);

const publishes = fc.tuple(anId, aChannel, aRule).map(([id, channel, one]) =>
  command(`publish ${id} ${channel} ${one.version}`, async (model, { calls }) => ({
    wanted: model.publish(id, channel, one),
    found: await outcomeOf(calls[id].publish(channel, uploadOf(id, one))),
  })),
);
const promotions = fc
  .tuple(anId, fc.constantFrom(...channels), fc.constantFrom(1, 2))
  .map(([id, from, further]) => {
    const to = channels[(channels.indexOf(from) + further) % 3] ?? from;
    return command(`promote ${id} ${from} ${to}`, async (model, { calls }) => ({
      wanted: model.promote(id, from, to),
      found: await outcomeOf(calls[id].promote(from, to)),
    }));
  });
const rollbacks = fc.tuple(anId, aChannel, fc.option(aRule, { freq: 1 })).map(([id, channel, to]) =>
  command(`rollback ${id} ${channel} ${to?.version}`, async (model, { calls }) => ({
    wanted: model.rollback(id, channel, to),
    found: await outcomeOf(calls[id].rollback(channel, to?.version ?? null)),
  })),
);
const stores = fc.tuple(anId, aRule).map(([id, one]) =>
  command(`store ${id} ${one.version}`, async (model, { calls }) => ({
    wanted: model.store(id, one),
    found: (await calls[id].store(uploadOf(id, one))).status,
  })),
);
const activations = fc.constant(
  command('activate', async (model, { deps }) => ({
    wanted: model.activate(),
    found: await activateDue(deps),
  })),
);
const pauses = fc.constantFrom(1, 1000, minuteMs, 4 * minuteMs, 5 * minuteMs).map((ms) =>
  command(`${ms} ms pass`, async (model, { deps }) => {
    model.nowMs += ms;
    deps.clock.set(model.nowMs);
    return { wanted: 0, found: 0 };
  }),
);
/** Some more often than others. */
const commands = [
  Array<typeof publishes>(4).fill(publishes),
  [promotions, rollbacks, rollbacks, stores, activations, pauses, pauses],
].flat();

/** Pages of this size one after the other, to the end. */
async function allPages<T>(
  read: (cursor: string | undefined, limit: number) => Promise<Page<T>>,
  limit: number,
): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | undefined; ;) {
    const { items, next } = await read(cursor, limit);
    expect(items.length).toBeLessThanOrEqual(limit);
    all.push(...items);
    if (next === null) return all;
    cursor = next;
  }
}

async function compareHistory(model: TimeTravelModel, { deps }: Real): Promise<void> {
  for (const id of model.policies()) {
    for (const channel of [undefined, ...channels]) {
      const wanted = model.entries
        .filter((entry) => entry.id === id && [undefined, entry.channel].includes(channel))
        .toReversed();
      for (let limit = 1; limit <= wanted.length + 1; limit++) {
        const found = await allPages(
          (cursor, size) => readHistory(deps, 'demo', id, channel, cursor, size),
          limit,
        );
        expect(
          found.map(({ at, action, changed: { channel: where, version, gen } }) => {
            return { id, channel: where, action, version, gen, atMs: Date.parse(at) };
          }),
        ).toEqual(wanted);
      }
    }
  }
}

async function compareLists(model: TimeTravelModel, { deps }: Real): Promise<void> {
  for (const limit of [1, 2, 3]) {
    const policies = await allPages(
      (cursor, size) => listPolicies(deps, 'demo', cursor, size),
      limit,
    );
    expect(policies.map(({ id }) => id)).toEqual(model.policies());
    for (const channel of channels) {
      const held = model.lanes().filter((lane) => lane.channel === channel);
      const found = await allPages(
        (cursor, size) => listChannel(deps, 'demo', channel, null, cursor, size),
        limit,
      );
      expect(found.map(({ id }) => id)).toEqual(held.map(({ id }) => id).toSorted());
    }
  }
}

/** Any time as known at any time: about each moment that matters, and far from all. */
async function compareTimes(model: TimeTravelModel, { calls }: Real, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const moments = [
    startMs - 10 * minuteMs,
    model.nowMs + 60 * minuteMs,
    ...model.entries.map(({ atMs }) => atMs),
    ...rules.map(({ effectiveMs }) => effectiveMs ?? model.nowMs),
  ];
  const moment = (): number => (moments[random(moments.length)] ?? 0) + random(3) - 1;
  for (const id of ids) {
    for (const channel of channels) {
      for (let i = 0; i < 12; i++) {
        const [atMs, knownMs] = [moment(), moment()];
        const wanted = model.lane(id, channel).inForce(atMs, knownMs)?.version ?? 'not_in_force';
        const found = await calls[id].versionAt(channel, atMs, knownMs);
        expect(found, `${id} ${channel} at ${atMs - startMs}, known ${knownMs - startMs}`).toBe(
          wanted,
        );
      }
    }
  }
}

describe('policies in time', () => {
  it('are what a list of decisions says, whenever one asks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.commands(commands, { maxCommands: 80, size: 'max' }),
        fc.nat(),
        async (list, seed) => {
          const deps = coreDeps();
          const [p, q] = ids.map((id) => new TenantCalls(deps, 'demo', id));
          const real: Real = { deps, calls: { p: p!, q: q! }, tagged: new Map() };
          const model = new TimeTravelModel(startMs);
          await fc.asyncModelRun(() => ({ model, real }), list);
          await compareTimes(model, real, seed);
          await compareHistory(model, real);
          await compareLists(model, real);
          await assertConsistent(deps.records, 'demo', { policies: ids });
        },
      ),
      { numRuns: 200 },
    );
  });
});
