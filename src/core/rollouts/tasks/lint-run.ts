import type { Deps } from '../../deps.ts';
import { policyYamlOf, schemaOf } from '../../packages/read-entries.ts';
import type { ChannelRecord } from '../../policies/channel-record.ts';
import { channelKey } from '../../policies/policy-keys.ts';
import { placeSnapshot, readBody } from '../../policies/read-rule.ts';
import { resolveRule } from '../../policies/resolve-rule.ts';
import { refOf } from '../../policies/move-channel.ts';
import { getRecord } from '../../records.ts';
import type { Json } from '../../values/json.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { endStep } from '../end-run.ts';
import { directionOf } from '../forward.ts';
import type { LintFinding, LintSummary } from '../lint/lint-finding.ts';
import { kindPolicyOf, lintPolicy, summarize } from '../lint/lint-policy.ts';
import { makeWayForWaiters } from '../make-way.ts';
import { readSituation, type RunLane, type Situation } from '../read-situation.ts';
import type { RunRef } from '../rollout-tasks.ts';
import type { RunRecord } from '../run-record.ts';
import { withStages } from '../stages.ts';

type LintDeps = RunDeps & Pick<Deps, 'blobs' | 'workflows' | 'log'>;
type Linted = { readonly status: 'passed' | 'ended' };

/** Begins a run: notes what each lane looks like now, and checks each candidate by itself. */
export async function lintRun(deps: LintDeps, ref: RunRef): Promise<Linted> {
  const origin = serviceOrigin(deps, ref);
  const began = await changeRun(deps, origin, ref, async (now) => begin(deps, now));
  if (began.status !== 'linting') {
    return {
      status: directionOf(began) === 'ended' && began.status !== 'simulating' ? 'ended' : 'passed',
    };
  }
  const lint = summarize(await lintAll(deps, await readSituation(deps, ref)));
  const linted = await changeRun(deps, origin, ref, async (now) => conclude(deps, now, lint));
  if (linted.status === 'ended') await makeWayForWaiters(deps, ref.tenant, began);
  return linted;
}

function begin(
  deps: Pick<Deps, 'clock'>,
  now: Situation,
): RunStep<RunRecord> | { readonly result: RunRecord } {
  const { value: run } = now.stored;
  if (run.status !== 'queued' || run.waitsFor !== null) return { result: run };
  const nowMs = deps.clock.nowMs();
  const at = new Date(nowMs).toISOString();
  const policies = now.lanes.map(({ policy, records }) => ({
    ...policy,
    base: baseOf(records.channel?.value, nowMs),
  }));
  const stages = withStages(run.stages, at, { name: 'lint', status: 'running' });
  const begun: RunRecord = { ...run, status: 'linting', policies, stages };
  return { action: 'run.started', run: begun, result: begun };
}

function baseOf(lane: ChannelRecord | undefined, nowMs: number): RunRecord['policies'][0]['base'] {
  const rule = lane === undefined ? null : resolveRule(lane, nowMs);
  return { gen: lane?.gen ?? 0, rule: rule === null ? null : refOf(rule) };
}

async function lintAll(deps: LintDeps, now: Situation): Promise<LintFinding[]> {
  const found = await Promise.all(now.lanes.map((lane) => lintLane(deps, now, lane)));
  return found.flat();
}

async function lintLane(
  deps: LintDeps,
  { ref, stored }: Situation,
  { policy, records }: RunLane,
): Promise<readonly LintFinding[]> {
  const { tenant } = ref;
  const bytes = await deps.blobs.get({ tenant, digest: policy.digest });
  if (bytes === undefined) throw new Error(`The package ${policy.digest} is missing.`);
  const nowMs = deps.clock.nowMs();
  const held = records.channel?.value;
  const rule = held === undefined ? null : resolveRule(held, nowMs);
  const before = rule === null ? null : await ruleJson(deps, tenant, rule.body);
  const placed = await placeSnapshot(deps, tenant, policy.id, policy);
  const kind = kindPolicyOf(await ruleJson(deps, tenant, placed.body));
  const kindSchema =
    kind === null ? undefined : await schemaOfKind(deps, tenant, kind, stored.value);
  return lintPolicy({
    policy: policy.id,
    yaml: new TextEncoder().encode(await policyYamlOf(bytes)),
    schema: await schemaOf(bytes),
    kindSchema,
    before,
    beforeVersion: rule?.version ?? null,
  });
}

/** The field `schema` of the rule in force of the policy that describes a kind. */
async function schemaOfKind(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock'>,
  tenant: string,
  kind: string,
  { channel }: RunRecord,
): Promise<Json | undefined> {
  const found = await getRecord(deps, channelKey(tenant, kind, channel));
  const rule = found === undefined ? null : resolveRule(found.value, deps.clock.nowMs());
  if (rule === null) return undefined;
  const json = await ruleJson(deps, tenant, rule.body);
  return (json as { readonly [key: string]: Json })['schema'];
}

async function ruleJson(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  body: Parameters<typeof readBody>[2],
): Promise<Json> {
  return JSON.parse(await readBody(deps, tenant, body)) as Json;
}

function conclude(
  deps: LintDeps,
  now: Situation,
  lint: LintSummary,
): RunStep<Linted> | { readonly result: Linted } {
  const { value: run } = now.stored;
  if (run.status !== 'linting')
    return { result: { status: run.endedAt === null ? 'passed' : 'ended' } };
  const { errors, warnings, findings } = lint;
  if (errors > 0) {
    const more = errors > 1 ? ` (and ${errors - 1} more)` : '';
    const outcome = `Lint: ${findings[0]?.policy}: ${findings[0]?.detail}${more}`;
    const step = endStep(deps, now, { status: 'rejected', outcome, learned: { lint } });
    return { ...step, result: { status: 'ended' } };
  }
  const at = new Date(deps.clock.nowMs()).toISOString();
  const detail = warnings === 0 ? 'no findings' : `${warnings} warnings`;
  const stages = withStages(
    run.stages,
    at,
    { name: 'lint', status: 'passed', detail },
    { name: 'simulate', status: 'running' },
  );
  return {
    action: 'run.linted',
    run: { ...run, status: 'simulating', lint, stages },
    result: { status: 'passed' },
  };
}
