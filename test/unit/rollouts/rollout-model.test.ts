import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RandomHistory, type Act } from './random-history.ts';

const policy = fc.constantFrom('a', 'b', 'c');
const some = fc.uniqueArray(policy, { minLength: 1, maxLength: 3 });
const delaySeconds = fc.constantFrom(0, 0, 0, 40);
const index = fc.nat({ max: 5 });

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      policies: some,
      canary: fc.constantFrom('none', 'silent', 'silent', 'demanding' as const),
      approvals: fc.constantFrom(0, 0, 1),
      hotfix: fc.constantFrom(false, false, false, true),
      delaySeconds,
      partners: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), policy, delaySeconds }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), policy }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      index,
      decision: fc.constantFrom('approve', 'approve', 'reject', 'close' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('alert' as const), policy, isNew: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('decisions' as const), policy }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      seconds: fc.constantFrom(1, 5, 20, 65, 100),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('freeze' as const), isFrozen: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      of: fc.constantFrom('defect', 'unavailable' as const),
    }),
  },
);

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(act) },
    { weight: 1, arbitrary: fc.array(act, { minLength: 2, maxLength: 4 }) },
  ),
  { minLength: 8, maxLength: 30 },
);

it('rollouts keep their promises, whatever happens in which order', async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(steps, async (taken) => {
    const history = new RandomHistory();
    await history.begin();
    for (const each of taken) {
      await history.take(each);
      await history.check();
    }
    await history.finish();
    for (const { status } of await history.runs()) seen.add(status);
    await history.desk.close();
  });
  await fc.assert(property, { seed: 3, numRuns: 40 });
  // Else the histories are too tame to tell anything.
  expect([...seen].toSorted()).toEqual([
    'aborted',
    'expired',
    'failed',
    'rejected',
    'succeeded',
    'superseded',
  ]);
});
