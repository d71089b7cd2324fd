import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CanaryPlan } from '../../../../src/core/policies/canary-plan.ts';
import { judgeCanary } from '../../../../src/core/rollouts/canary/judge-canary.ts';
import { emptyTest } from '../../../../src/core/rollouts/canary/sequential-test.ts';
import type { CanaryEvidence } from '../../../../src/core/rollouts/canary/verdict.ts';

const plan: CanaryPlan = {
  percent: 5,
  scope: null,
  observeSeconds: 300,
  maxNewAlerts: 2,
  minDecisions: 100,
  allowSilent: false,
  quorum: null,
};

const silent: CanaryEvidence = {
  canaryDecisions: 0,
  stableDecisions: 0,
  canaryAlerts: 0,
  stableAlerts: 0,
  waitingAlerts: 0,
  newAlerts: [],
  acknowledged: 0,
  refused: 0,
  test: emptyTest(),
};

const healthy = { ...silent, canaryDecisions: 100, stableDecisions: 1900, acknowledged: 3 };
const early = { elapsedMs: 299_999, extensions: 0 };
const over = { elapsedMs: 300_000, extensions: 0 };

function suspect(eValue: number): CanaryEvidence {
  return { ...healthy, canaryAlerts: 9, test: { ...emptyTest(), eValue } };
}

describe('judgeCanary', () => {
  it('passes what has decided enough, once the time is over', () => {
    expect(judgeCanary(plan, healthy, early)).toMatchObject({ kind: 'observing', method: 'time' });
    expect(judgeCanary(plan, healthy, over)).toEqual({
      kind: 'pass',
      method: 'time',
      detail:
        '100 of 100 decisions, 0 new alerts, 3 acknowledged; alerts 0 in 100 decisions of the ' +
        'canary, 0 in 1900 decisions beside it; e-value 1.00.',
    });
  });

  it('fails at once on new alerts, and names them', () => {
    const one = { ...healthy, newAlerts: ['db-timeout'] };
    expect(judgeCanary(plan, one, early).kind).toBe('observing');
    expect(judgeCanary(plan, one, over).kind).toBe('pass');
    const two = { ...one, newAlerts: ['db-timeout', 'no-limit'] };
    expect(judgeCanary(plan, two, { elapsedMs: 0, extensions: 0 })).toEqual({
      kind: 'fail',
      method: 'alerts',
      detail: '2 new alerts: db-timeout, no-limit.',
    });
    const many = { ...one, newAlerts: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] };
    expect(judgeCanary(plan, many, over).detail).toBe('7 new alerts: a, b, c, d, e and 2 more.');
  });

  it('fails when the canary alerts more often, from the limit on', () => {
    expect(judgeCanary(plan, suspect(19.99), over).kind).toBe('pass');
    expect(judgeCanary(plan, suspect(20), early)).toMatchObject({
      kind: 'fail',
      method: 'sequential-test',
      detail: expect.stringContaining('e-value 20.0, limit 20'),
    });
  });

  it.each([
    [1, 0, 'fail'],
    [1, 99, 'fail'],
    [1, 100, 'pass'],
    [2, 150, 'fail'],
    [2, 250, 'pass'],
    [99, 9900, 'pass'],
    [100, 9900, 'fail'],
  ] as const)('with %i refusals beside %i that applied it: %s', (refused, acknowledged, kind) => {
    const verdict = judgeCanary(plan, { ...healthy, refused, acknowledged }, over);
    expect(verdict.kind).toBe(kind);
    if (kind === 'fail') expect(verdict.method).toBe('refusals');
  });

  it('extends three times when too little was decided, then asks people', () => {
    const few = { ...healthy, canaryDecisions: 99 };
    for (const extensions of [0, 1, 2]) {
      const end = 300_000 * (1 + extensions);
      const before = { elapsedMs: end - 1, extensions };
      expect(judgeCanary(plan, few, before).kind).toBe('observing');
      expect(judgeCanary(plan, few, { elapsedMs: end, extensions }).kind).toBe('extend');
    }
    const last = { elapsedMs: 1_200_000, extensions: 3 };
    expect(judgeCanary(plan, few, { ...last, elapsedMs: 1_199_999 }).kind).toBe('observing');
    expect(judgeCanary(plan, few, last)).toMatchObject({ kind: 'inconclusive', method: 'time' });
    expect(judgeCanary(plan, healthy, last)).toMatchObject({ kind: 'pass' });
  });

  it('never takes silence for health, unless the plan does', () => {
    const last = { elapsedMs: 1_200_000, extensions: 3 };
    for (const minDecisions of [0, 100]) {
      const strict = { ...plan, minDecisions };
      expect(judgeCanary(strict, silent, early).kind).toBe('observing');
      expect(judgeCanary(strict, silent, over)).toMatchObject({
        kind: 'extend',
        method: 'silence',
      });
      expect(judgeCanary(strict, silent, last)).toEqual({
        kind: 'inconclusive',
        method: 'silence',
        detail: 'No service told anything, of either arm.',
      });
      const lax = { ...strict, allowSilent: true };
      expect(judgeCanary(lax, silent, early).kind).toBe('observing');
      expect(judgeCanary(lax, silent, over)).toMatchObject({ kind: 'pass', method: 'silence' });
    }
  });

  it.each([
    { stableDecisions: 1900 },
    { acknowledged: 1 },
    { newAlerts: ['a'] },
    { canaryAlerts: 1 },
    { waitingAlerts: 1 },
  ])('does not take %j for silence', (told) => {
    const lax = { ...plan, allowSilent: true };
    expect(judgeCanary(lax, { ...silent, ...told }, over)).toMatchObject({
      kind: 'extend',
      method: 'time',
    });
  });

  it('does not take alerts alone for health, though no decisions are asked for', () => {
    const easy = { ...plan, minDecisions: 0 };
    for (const told of [{ newAlerts: ['a'] }, { stableDecisions: 900 }, { waitingAlerts: 1 }]) {
      expect(judgeCanary(easy, { ...silent, ...told }, over).kind).toBe('extend');
    }
    expect(judgeCanary(easy, { ...silent, acknowledged: 1 }, over).kind).toBe('pass');
  });

  it('with a quorum does not wait for the time, and does not pass by it', () => {
    const asked = { ...plan, quorum: 3 };
    expect(judgeCanary(asked, healthy, early)).toMatchObject({ kind: 'pass', method: 'quorum' });
    const short = { ...healthy, acknowledged: 2 };
    expect(judgeCanary(asked, short, early).kind).toBe('observing');
    expect(judgeCanary(asked, short, over)).toMatchObject({ kind: 'extend', method: 'quorum' });
    const last = { elapsedMs: 1_200_000, extensions: 3 };
    expect(judgeCanary(asked, short, last)).toMatchObject({
      kind: 'inconclusive',
      method: 'quorum',
    });
    const idle = { ...healthy, canaryDecisions: 99 };
    expect(judgeCanary(asked, idle, over).kind).toBe('extend');
  });

  const amounts = fc.integer({ min: 0, max: 300 });
  const evidences = fc.record({
    canaryDecisions: amounts,
    stableDecisions: amounts,
    canaryAlerts: amounts,
    stableAlerts: amounts,
    waitingAlerts: amounts,
    newAlerts: fc.uniqueArray(fc.string(), { maxLength: 3 }),
    acknowledged: amounts,
    refused: fc.constantFrom(0, 0, 0, 1, 5),
    test: fc.record({
      logRatios: fc.constant([]),
      held: fc.constant(emptyTest().held),
      eValue: fc.constantFrom(0.01, 1, 19, 20, 500),
    }),
  });
  const plans = fc.record({
    percent: fc.constant(5),
    scope: fc.constant(null),
    observeSeconds: fc.integer({ min: 1, max: 600 }),
    maxNewAlerts: fc.integer({ min: 1, max: 3 }),
    minDecisions: amounts,
    allowSilent: fc.boolean(),
    quorum: fc.option(amounts),
  });
  const windows = fc.record({
    elapsedMs: fc.integer({ min: 0, max: 3_000_000 }),
    extensions: fc.integer({ min: 0, max: 3 }),
  });

  it('never passes because of one more new alert, nor takes back a fail', () => {
    fc.assert(
      fc.property(plans, evidences, windows, fc.string(), (of, evidence, window, alert) => {
        const before = judgeCanary(of, evidence, window);
        const worse = { ...evidence, newAlerts: [...evidence.newAlerts, alert] };
        const verdict = judgeCanary(of, worse, window);
        if (before.kind === 'fail') expect(verdict.kind).toBe('fail');
        if (verdict.kind === 'pass') expect(before.kind).toBe('pass');
      }),
      { seed: 20_261_120 },
    );
  });

  it('passes only without a reason to fail, and with enough, or in a silence that is allowed', () => {
    fc.assert(
      fc.property(plans, evidences, windows, (of, evidence, window) => {
        const { kind, method } = judgeCanary(of, evidence, window);
        if (kind !== 'pass') return;
        expect(evidence.newAlerts.length).toBeLessThan(of.maxNewAlerts);
        expect(evidence.test.eValue).toBeLessThan(20);
        if (method === 'silence') expect(of.allowSilent).toBe(true);
        else expect(evidence.canaryDecisions).toBeGreaterThanOrEqual(of.minDecisions);
        if (method === 'quorum') expect(evidence.acknowledged).toBeGreaterThanOrEqual(of.quorum!);
      }),
      { seed: 20_261_120, numRuns: 1000 },
    );
  });

  it('comes to an end: after the third extension it observes no longer than the time', () => {
    fc.assert(
      fc.property(plans, evidences, (of, evidence) => {
        const end = { elapsedMs: of.observeSeconds * 4000, extensions: 3 };
        expect(['pass', 'fail', 'inconclusive']).toContain(judgeCanary(of, evidence, end).kind);
      }),
      { seed: 20_261_120 },
    );
  });
});
