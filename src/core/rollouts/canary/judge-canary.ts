import type { CanaryPlan } from '../../policies/canary-plan.ts';
import { eValueLimit } from './sequential-test.ts';
import type { CanaryEvidence, JudgeCanary, Verdict } from './verdict.ts';

/** The chance with which the sequential test fails a canary that is no worse. */
export const alpha = 0.05;

const maxExtensions = 3;
const maxNamed = 5;

/** Of the services that answered, the share whose refusal fails a canary; one of few is enough. */
const maxRefusedShare = 0.01;

/**
 * What the evidence says of a canary now. What fails it comes first, so that nothing passes which
 * has a reason to fail; a verdict other than `observing` and `extend` is kept by the caller, who
 * asks no more.
 *
 * 1. New alerts: `maxNewAlerts` of them.
 * 2. Refusals: a service that refuses could not run the rule after the rollout either. One in a
 *    hundred of those that answered fails the canary, of a hundred or fewer a single one: more
 *    would have to be broken themselves.
 * 3. The sequential test: an e-value of 1/α.
 * 4. With a quorum: it and the decisions are there; else the time is over and the decisions are
 *    there. Too little of either at the end of the time: three extensions, then inconclusive.
 *    A canary of which nothing but alerts is heard is too little, whatever the plan demands;
 *    silence on both arms passes if the plan allows it.
 *
 * `elapsedMs` counts from the beginning of the canary; each extension adds one observation time.
 */
export const judgeCanary: JudgeCanary = (plan, evidence, window) => {
  const failed = failureOf(plan, evidence);
  if (failed !== null) return failed;
  const { canaryDecisions, acknowledged } = evidence;
  const enough = canaryDecisions >= plan.minDecisions && canaryDecisions + acknowledged > 0;
  if (plan.quorum !== null && acknowledged >= plan.quorum && enough) {
    return { kind: 'pass', method: 'quorum', detail: describe(plan, evidence) };
  }
  const isOver = window.elapsedMs >= plan.observeSeconds * 1000 * (1 + window.extensions);
  const method = isSilent(evidence) ? 'silence' : plan.quorum === null ? 'time' : 'quorum';
  const detail = describe(plan, evidence);
  if (!isOver) return { kind: 'observing', method, detail };
  const passes = method === 'silence' ? plan.allowSilent : method === 'time' && enough;
  if (passes) return { kind: 'pass', method, detail };
  const kind = window.extensions < maxExtensions ? 'extend' : 'inconclusive';
  return { kind, method, detail };
};

function failureOf(plan: CanaryPlan, evidence: CanaryEvidence): Verdict | null {
  const { newAlerts, refused, acknowledged, test } = evidence;
  if (newAlerts.length >= plan.maxNewAlerts) {
    const named = newAlerts.slice(0, maxNamed).join(', ');
    const more = newAlerts.length > maxNamed ? ` and ${newAlerts.length - maxNamed} more` : '';
    const detail = `${count(newAlerts.length, 'new alert')}: ${named}${more}.`;
    return { kind: 'fail', method: 'alerts', detail };
  }
  const answered = refused + acknowledged;
  if (refused >= Math.max(1, Math.ceil(answered * maxRefusedShare))) {
    const detail = `${refused} of ${count(answered, 'service')} that answered refused the rule.`;
    return { kind: 'fail', method: 'refusals', detail };
  }
  const limit = eValueLimit(alpha);
  if (test.eValue < limit) return null;
  const detail =
    `The canary alerts more often: ${rates(evidence)}; ` +
    `e-value ${test.eValue.toPrecision(3)}, limit ${limit}.`;
  return { kind: 'fail', method: 'sequential-test', detail };
}

function isSilent(evidence: CanaryEvidence): boolean {
  const { acknowledged, refused, newAlerts } = evidence;
  const { canaryDecisions, stableDecisions, canaryAlerts, stableAlerts, waitingAlerts } = evidence;
  const told = canaryDecisions + stableDecisions + acknowledged + refused;
  return told + canaryAlerts + stableAlerts + waitingAlerts + newAlerts.length === 0;
}

function describe(plan: CanaryPlan, evidence: CanaryEvidence): string {
  const { acknowledged, newAlerts, canaryDecisions, test } = evidence;
  if (isSilent(evidence)) return 'No service told anything, of either arm.';
  const quorum = plan.quorum === null ? '' : ` of ${plan.quorum}`;
  return (
    `${canaryDecisions} of ${plan.minDecisions} decisions, ${count(newAlerts.length, 'new alert')}, ` +
    `${acknowledged}${quorum} acknowledged; ${rates(evidence)}; ` +
    `e-value ${test.eValue.toPrecision(3)}.`
  );
}

function rates(evidence: CanaryEvidence): string {
  const { canaryAlerts, canaryDecisions, stableAlerts, stableDecisions } = evidence;
  return (
    `alerts ${canaryAlerts} in ${count(canaryDecisions, 'decision')} of the canary, ` +
    `${stableAlerts} in ${count(stableDecisions, 'decision')} beside it`
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
