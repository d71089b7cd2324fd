import * as z from 'zod';
import { endStatuses, openStatuses, stageNames } from '../core/rollouts/run-record.ts';
import { canaryPlan, canaryWish } from './canary-schemas.ts';
import {
  channel,
  digest,
  pageOf,
  partnerName,
  policyId,
  reason,
  runNumber,
  snapshotId,
  snapshotName,
  timestamp,
} from './values.ts';

export const runStatus = z.enum([...openStatuses, ...endStatuses]).meta({
  id: 'RunStatus',
  description: '`failed`: the old rule was restored, or nothing had been changed',
});

export const stageStatus = z.enum(['pending', 'running', 'held', 'passed', 'failed', 'skipped']);

export const newRun = z
  .strictObject({
    policies: z
      .array(z.strictObject({ id: policyId, snapshot: snapshotName }))
      .min(1)
      .max(20)
      .describe('They switch together, or not at all'),
    channel: channel.default('prod'),
    canary: canaryWish.optional().describe('As the channel has it, unless given'),
    partners: z.array(partnerName).max(20).default([]).describe('Told when everyone has the rule'),
    approval: z
      .union([z.boolean(), z.int().min(1).max(5)], { error: 'true, or 1 to 5 people' })
      .default(false)
      .describe('How many people must approve it, at least as many as the channel asks for'),
    hotfix: z
      .boolean()
      .default(false)
      .describe('Ends a run that is in the way; needs `hms/approve:policy` and a reason'),
    reason: reason.optional(),
  })
  .refine(({ hotfix, reason: why }) => !hotfix || why !== undefined, {
    path: ['reason'],
    error: 'a hotfix needs one',
  })
  .meta({ id: 'NewRun' });

export const createdRun = z
  .object({
    run: runNumber,
    status: z.literal('queued'),
    waitsFor: runNumber.nullable().describe('The run that it waits for'),
  })
  .meta({ id: 'CreatedRun' });

/** What a publish or promote answers that became a run. */
export const stagedRule = createdRun
  .extend({ id: policyId, snapshot: snapshotId })
  .meta({ id: 'StagedRule', description: 'The rule is stored; a run takes it into force' });

const stage = z
  .object({
    name: z.enum(stageNames),
    status: stageStatus.describe('`held`: by a blackout window, or by people; `detail` tells'),
    detail: z.string().nullable().describe('One line for people'),
    startedAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
  })
  .meta({ id: 'RunStage' });

const runPolicy = z
  .object({
    id: policyId,
    snapshot: snapshotId,
    version: z.string(),
    digest,
    effective: timestamp.nullable().describe('Before then the canary runs in shadow'),
    replaces: z
      .object({ snapshot: snapshotId, version: z.string() })
      .nullable()
      .describe('In force when the run began; null before that, and for a first rule'),
  })
  .meta({ id: 'RunPolicy' });

/** An item of `GET /api/runs`. */
const runSummary = z
  .object({
    run: runNumber,
    status: runStatus,
    channel,
    policies: z.array(runPolicy),
    stages: z.array(stage),
    canary: canaryPlan.nullable().describe('Null: straight to everyone'),
    partners: z.array(z.string()),
    approvals: z.int().describe('How many people must approve it'),
    hotfix: z.boolean(),
    reason: z.string().nullable(),
    author: z.string(),
    createdAt: timestamp,
    endedAt: timestamp.nullable(),
    outcome: z.string().nullable().describe('Why it ended as it did; null while it is open'),
    waitsFor: runNumber.nullable().describe('The run that holds a policy of this one'),
    ticket: z.string().nullable().describe('What it asks of people, or has asked last'),
  })
  .meta({ id: 'RunSummary' });

export const runSummaryPage = pageOf(runSummary).meta({ id: 'RunSummaryPage' });

const lint = z
  .object({
    errors: z.int(),
    warnings: z.int(),
    findings: z
      .array(
        z.object({
          policy: policyId,
          severity: z.enum(['error', 'warning']),
          rule: z.string().describe('Stable: `schema`, `kind`, `version-order` …'),
          pointer: z.string().describe('RFC 6901, into the rule'),
          line: z.int().nullable().describe('In `policy.yaml`, from 1'),
          column: z.int().nullable(),
          detail: z.string(),
        }),
      )
      .describe('The first 50, errors first'),
  })
  .meta({ id: 'RunLint' });

const simulation = z
  .object({
    passed: z.boolean(),
    scenarios: z.int(),
    replayed: z.int().describe('Those whose recording could be replayed'),
    adapted: z.int().describe('Of those, the ones that the candidate serves as expected'),
    share: z.number().nullable().describe('`adapted` of `replayed`, 0 to 1'),
    flips: z
      .array(
        z.object({
          suite: z.string(),
          cohort: z.string(),
          from: z.string().describe('The decision under the rule in force'),
          to: z.string().describe('Under the candidate'),
          count: z.int(),
          scenarios: z.array(z.string()).describe('The first few, by name'),
        }),
      )
      .describe('The most frequent 50'),
    findings: z.array(z.string()).describe('Why it failed, and what could not be replayed'),
    report: z.string().nullable().describe('The path of the whole report, for people'),
  })
  .meta({ id: 'RunSimulation' });

const verdict = z
  .object({
    kind: z.enum(['observing', 'extend', 'pass', 'fail', 'inconclusive']),
    method: z.enum(['alerts', 'sequential-test', 'refusals', 'time', 'quorum', 'silence']),
    detail: z.string().describe('One line for people, with the numbers it rests on'),
    eValue: z.number().describe('Of the sequential test: 20 or more fails the canary'),
    observedSince: timestamp,
    extensions: z.int().describe('By how many observation times it has been extended'),
    evidence: z.object({
      canaryDecisions: z.int(),
      stableDecisions: z.int(),
      canaryAlerts: z.int(),
      stableAlerts: z.int(),
      waitingAlerts: z.int().describe('Of services that have told no decisions since'),
      newAlerts: z
        .array(z.string())
        .describe('Fingerprints from the canary, and not seen beside it since 24 h before'),
      acknowledged: z.int().describe('Services that run the candidate'),
      refused: z.int(),
    }),
  })
  .meta({ id: 'RunVerdict' });

/** What `GET /api/runs/{run}` answers. */
export const run = runSummary
  .extend({
    bucketing: z
      .object({ salt: z.string(), weight: z.int().describe('Of 10 000') })
      .nullable()
      .describe('Whom the canary takes: `docs/bucketing.md`; null until it begins'),
    lint: lint.nullable(),
    simulation: simulation.nullable(),
    verdict: verdict.nullable().describe('Of the canary, as of the last look'),
  })
  .meta({ id: 'Run' });
