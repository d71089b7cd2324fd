import { digestName } from '../core/packages/digest.ts';
import type { CanaryPlan } from '../core/policies/canary-plan.ts';
import { audienceOf } from '../core/rollouts/canary/audience-of.ts';
import type { CreatedRun } from '../core/rollouts/create-run.ts';
import type { CanaryProgress, RunPolicy, RunRecord } from '../core/rollouts/run-record.ts';
import type { Staged } from '../core/rollouts/stage-rule.ts';
import { jsonReply, type Reply } from './reply.ts';

/** A run as lists show it: all but what its stages found. */
export function runSummaryView(record: RunRecord) {
  const { run, status, channel, policies, stages, canary, partners, approvals } = record;
  const { hotfix, reason, author, createdAt, endedAt, outcome, waitsFor, ticket } = record;
  return {
    run,
    status,
    channel,
    policies: policies.map(policyView),
    stages,
    canary,
    partners,
    approvals,
    hotfix,
    reason,
    author,
    createdAt,
    endedAt,
    outcome,
    waitsFor,
    ticket,
  };
}

/** The whole page of a run. */
export function runView(record: RunRecord) {
  const { canary, progress, lint, simulation } = record;
  return {
    ...runSummaryView(record),
    bucketing: canary === null || progress === null ? null : bucketingView(canary, progress),
    lint,
    simulation,
    verdict: progress === null ? null : verdictView(progress),
  };
}

function bucketingView(plan: CanaryPlan, progress: CanaryProgress) {
  const { salt, weight } = audienceOf(plan, progress.salt);
  return { salt, weight };
}

/** The answer of a call that queued a run. */
export function queuedReply(created: CreatedRun | Staged): Reply {
  return jsonReply(202, created, { location: `/api/runs/${created.run}` });
}

function policyView({ id, snapshot, version, digest, effectiveAt, base }: RunPolicy) {
  const rule = base?.rule ?? null;
  return {
    id,
    snapshot,
    version,
    digest: digestName(digest),
    effective: effectiveAt,
    replaces: rule === null ? null : { snapshot: rule.snapshot, version: rule.version },
  };
}

function verdictView({ verdict, evidence, startedAtMs, extensions }: CanaryProgress) {
  const { test, ...counts } = evidence;
  return {
    ...verdict,
    eValue: test.eValue,
    observedSince: new Date(startedAtMs).toISOString(),
    extensions,
    evidence: counts,
  };
}
