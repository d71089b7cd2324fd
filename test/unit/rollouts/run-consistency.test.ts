import { beforeAll, describe, expect, it } from 'vitest';
import { journalPartition } from '../../../src/core/journal/journal-keys.ts';
import { policyPartition, summariesPartition } from '../../../src/core/policies/policy-keys.ts';
import {
  openRunsPartition,
  runsPartition,
  ticketsPartition,
} from '../../../src/core/rollouts/run-keys.ts';
import type { Json } from '../../../src/core/values/json.ts';
import type { RecordStore, StoredRecord } from '../../../src/ports/record-store.ts';
import { CanaryReports } from '../../support/canary-reports.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { RolloutDesk } from '../../support/rollout-desk.ts';
import { freeze } from './freeze.ts';
import { hasEnded, RolloutStory } from './rollout-story.ts';

const { tenant } = new RolloutDesk();
let records: RecordStore;
let held: readonly StoredRecord[];

beforeAll(async () => {
  const desk = new RolloutDesk();
  ({ records } = desk.deps);
  const story = new RolloutStory(desk);
  await story.inForce('a', 'b', 'c');
  await freeze(desk, true);
  await freeze(desk, false);
  const failed = await story.canary(['a', 'b'], '2.0.0');
  const reports = new CanaryReports(desk, 'a');
  const { snapshot = '' } = (await desk.run(failed)).policies[0] ?? {};
  for (const name of ['smoke', 'fire']) await reports.alert(snapshot, name);
  await desk.until(failed, hasEnded);
  const released = await story.create(['c'], '2.0.0', { canary: null, reason: 'why' });
  await desk.until(released.run, hasEnded);
  const effective = new Date(desk.clock.nowMs() + 3_600_000).toISOString();
  const next = await story.store('a', '3.0.0', { effective });
  const plan = { percent: 100, observeSeconds: 3600 };
  const tried = await story.canary(['b', 'c'], '3.0.0', plan);
  const canary = {
    scope: null,
    maxNewAlerts: 2,
    minDecisions: 1,
    allowSilent: false,
    quorum: null,
  };
  const asked = { canary: { ...canary, ...plan } };
  const shadow = await desk.create([{ id: 'a', snapshot: next }], asked);
  await desk.until(shadow.run, ({ progress }) => progress !== null);
  await desk.clock.advance(120_000);
  const waits = await story.create(['c'], '4.0.0');
  expect(waits.waitsFor).toBe(tried);
  await desk.close();
  const partitions = [
    ...['a', 'b', 'c'].map((id) => policyPartition(tenant, id)),
    summariesPartition(tenant),
    `${tenant}#state`,
    journalPartition(tenant),
    runsPartition(tenant),
    ticketsPartition(tenant),
    openRunsPartition,
  ];
  const found = await Promise.all(
    partitions.map((partition) => records.query({ partition, limit: 1000 })),
  );
  held = found.flat();
});

/** The same store, but one record reads otherwise; null: it is not there. */
function tampered({ key }: StoredRecord, value: Json | null): RecordStore {
  const swap = (record: StoredRecord | undefined): StoredRecord | undefined => {
    if (record?.key.partition !== key.partition || record.key.sort !== key.sort) return record;
    return value === null ? undefined : { ...record, value };
  };
  return interceptMethods(records, { get: 0, getMany: 0, query: 0 }, async (method, _, call) => {
    const answer = await call();
    if (method === 'get') return swap(answer as StoredRecord | undefined);
    const swapped = (answer as (StoredRecord | undefined)[]).map(swap);
    return method === 'query' ? swapped.filter((record) => record !== undefined) : swapped;
  });
}

/** The value with one leaf changed, for each. */
function* withOneLeafChanged(value: Json, path = ''): Generator<[string, Json]> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      for (const [where, other] of withOneLeafChanged(inner, `${path}/${key}`)) {
        yield [where, isList(value) ? value.with(Number(key), other) : { ...value, [key]: other }];
      }
    }
  } else yield [path, typeof value === 'number' ? value + 1 : `${value}x`];
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** Whether the check notices. */
async function isNoticed(record: StoredRecord, value: Json | null): Promise<boolean> {
  return assertConsistent(tampered(record, value), tenant).then(
    () => false,
    () => true,
  );
}

/** Of a run the journal tells what became of it; of a ticket whose it is, and how it stands. */
const told =
  /^\/(?:run|channel|status|outcome|author|createdAt|firstIndex|reason|waitsFor|ticket|policies\/\d\/(?:id|snapshot)|stages\/\d\/(?:status|name|detail))$/;

function isTold({ key: { partition, sort } }: StoredRecord, path: string): boolean {
  if (partition === runsPartition(tenant)) return told.test(path);
  if (partition === ticketsPartition(tenant)) return /^\/(?:id|run|status)$/.test(path);
  if (/^(?:snapshot|body)#/.test(sort)) return false;
  return !(sort.startsWith('timeline#') && /\/(?:leaseUntilMs|enforcedFromMs)$/.test(path));
}

describe('assertConsistent, where there are runs,', () => {
  it('is content with what they leave behind', async () => {
    const entries = await assertConsistent(records, tenant);
    const actions = new Set(entries.map(({ action }) => action));
    for (const action of ['run.queued', 'run.canary', 'run.released', 'run.ended']) {
      expect(actions).toContain(action);
    }
    expect(held.filter(({ key }) => key.partition === openRunsPartition)).toHaveLength(3);
  });

  it('notices when any record is missing', async () => {
    const unnoticed = [];
    for (const record of held) if (!(await isNoticed(record, null))) unnoticed.push(record.key);
    expect(unnoticed).toEqual([]);
  });

  it('notices when anything that the journal tells is otherwise', async () => {
    const unnoticed = [];
    let changed = 0;
    for (const record of held.filter(({ key }) => !key.sort.startsWith('entry#'))) {
      for (const [path, other] of withOneLeafChanged(record.value)) {
        if (!isTold(record, path)) continue;
        changed += 1;
        if (!(await isNoticed(record, other))) unnoticed.push(`${record.key.sort} ${path}`);
      }
    }
    expect(unnoticed).toEqual([]);
    expect(changed).toBeGreaterThan(400);
  });

  it('notices when the journal tells another story of a run', async () => {
    const wanted =
      /^\/(?:index|subject|before\/status|after\/(?:run|status|channel|outcome|policies|canary|lanes\/\d\/(?:id|channel|snapshot|digest|gen|version|run|before)))\//;
    const unnoticed = [];
    let changed = 0;
    for (const record of held.filter(({ key }) => key.sort.startsWith('entry#'))) {
      if (!(record.value as { action: string }).action.startsWith('run.')) continue;
      for (const [path, other] of withOneLeafChanged(record.value)) {
        if (!wanted.test(`${path}/`)) continue;
        changed += 1;
        if (!(await isNoticed(record, other))) unnoticed.push(`${record.key.sort} ${path}`);
      }
    }
    expect(unnoticed).toEqual([]);
    expect(changed).toBeGreaterThan(100);
  });
});
