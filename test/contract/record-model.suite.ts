import * as fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Json } from '../../src/core/values/json.ts';
import type { RecordQuery, RecordWrite } from '../../src/ports/record-store.ts';
import type { RecordSuite } from './record-suite.ts';

interface ModelRecord {
  readonly value: Json;
  readonly rev: number;
  readonly expiresAtMs: number;
}

/** What a partition should hold, as simply as it can be said. */
class RecordModel {
  #records = new Map<string, ModelRecord>();

  find(sort: string, nowMs: number): ModelRecord | undefined {
    const record = this.#records.get(sort);
    return record !== undefined && record.expiresAtMs > nowMs ? record : undefined;
  }

  commit(writes: readonly RecordWrite[], nowMs: number): 'committed' | 'conflict' {
    const revs = writes.map(({ key }) => this.find(key.sort, nowMs)?.rev);
    if (writes.some(({ expect: wanted }, i) => wanted !== (revs[i] ?? 'absent'))) return 'conflict';
    writes.forEach((write, i) => {
      if (write.kind === 'delete') this.#records.delete(write.key.sort);
      if (write.kind !== 'put') return;
      this.#records.set(write.key.sort, {
        value: JSON.parse(JSON.stringify(write.value)),
        rev: (revs[i] ?? 0) + 1,
        expiresAtMs: write.expiresAtMs ?? Infinity,
      });
    });
    return 'committed';
  }

  query({ prefix = '', after, until, order, limit }: RecordQuery, nowMs: number): string[] {
    const sorted = [...this.#records.keys()].sort(byBytes);
    return (order === 'desc' ? sorted.toReversed() : sorted)
      .filter((sort) => this.find(sort, nowMs) !== undefined && sort.startsWith(prefix))
      .filter((sort) => after === undefined || isBeyond(sort, after, order))
      .filter((sort) => until === undefined || !isBeyond(sort, until, order))
      .slice(0, limit);
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isBeyond(sort: string, bound: string, order: 'asc' | 'desc' = 'asc'): boolean {
  return order === 'asc' ? byBytes(sort, bound) > 0 : byBytes(sort, bound) < 0;
}

/** Few keys, so that they meet; and characters whose order is easily got wrong. */
const sorts = fc
  .array(fc.constantFrom('a', 'b', '%', '~', 'é', '\uFF5E', '😀', '\u{10FFFF}'), {
    minLength: 1,
    maxLength: 2,
  })
  .map((characters) => characters.join(''));

const plans = fc.record({
  sort: sorts,
  kind: fc.constantFrom('put', 'put', 'put', 'delete', 'check'),
  value: fc.jsonValue({ maxDepth: 2 }),
  /** Mostly what holds, or else nothing would ever be committed. */
  expect: fc.constantFrom<'right' | 'absent' | number>('right', 'right', 'right', 'absent', 1, 2),
  livesMs: fc.constantFrom(undefined, undefined, 50, 150),
});

const steps = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      plans: fc.uniqueArray(plans, { minLength: 1, maxLength: 5, selector: ({ sort }) => sort }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        kind: fc.constant('query' as const),
        prefix: sorts,
        after: sorts,
        until: sorts,
        order: fc.constantFrom('asc' as const, 'desc' as const),
        limit: fc.constantFrom(1, 2, 1000),
      },
      { requiredKeys: ['kind', 'limit'] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constant(100) }) },
);

type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

export function describeRecordModel(suite: RecordSuite, propertyRuns: number): void {
  it('does with any history what the model does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 20 }), async (history) => {
        suite.partition = `suite/${randomUUID()}`;
        const model = new RecordModel();
        for (const step of history) {
          const nowMs = suite.clock.nowMs();
          if (step.kind === 'pass') {
            suite.clock.set(nowMs + step.ms);
          } else if (step.kind === 'commit') {
            const writes = step.plans.map((plan) => toWrite(suite, model, plan));
            expect(await suite.commit(...writes)).toBe(model.commit(writes, nowMs));
          } else {
            const { kind: _, ...rest } = step;
            await compareQuery(suite, model, { partition: suite.partition, ...rest });
          }
        }
        await compareReads(suite, model);
      }),
      { numRuns: propertyRuns },
    );
  });
}

function toWrite(suite: RecordSuite, model: RecordModel, plan: Plan): RecordWrite {
  const key = suite.key(plan.sort);
  const nowMs = suite.clock.nowMs();
  const rev = model.find(plan.sort, nowMs)?.rev;
  const wanted = plan.expect === 'right' ? (rev ?? 'absent') : plan.expect;
  if (plan.kind === 'check') return { kind: 'check', key, expect: wanted };
  if (plan.kind === 'delete')
    return { kind: 'delete', key, expect: typeof wanted === 'number' ? wanted : 1 };
  const expiry = plan.livesMs === undefined ? {} : { expiresAtMs: nowMs + plan.livesMs };
  return { kind: 'put', key, value: plan.value, expect: wanted, ...expiry };
}

async function compareQuery(
  suite: RecordSuite,
  model: RecordModel,
  query: RecordQuery,
): Promise<void> {
  const nowMs = suite.clock.nowMs();
  const found = await suite.records.query(query);
  expect(found.map(({ key }) => key.sort)).toEqual(model.query(query, nowMs));
  for (const { key, value, rev } of found) {
    const expected = model.find(key.sort, nowMs);
    expect({ value, rev }).toEqual({ value: expected?.value, rev: expected?.rev });
  }
}

/** Every key, by `get` and by `getMany`. */
async function compareReads(suite: RecordSuite, model: RecordModel): Promise<void> {
  const nowMs = suite.clock.nowMs();
  const all = { partition: suite.partition, limit: 1000 };
  await compareQuery(suite, model, all);
  const keys = [...model.query(all, nowMs), 'none'].map((sort) => suite.key(sort));
  const expected = keys.map(({ sort }) => model.find(sort, nowMs)?.value);
  const many = await suite.records.getMany(keys);
  expect(many.map((record) => record?.value)).toEqual(expected);
  const single = await Promise.all(keys.map((key) => suite.records.get(key)));
  expect(single).toEqual(many);
}
