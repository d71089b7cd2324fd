import { addAttachment } from '../../attachments/attachments.ts';
import type { Deps } from '../../deps.ts';
import { AppError, Unprocessable } from '../../errors/app-error.ts';
import { digestName, sha256Hex } from '../../packages/digest.ts';
import { scenariosOf } from '../../packages/read-entries.ts';
import { channelKey } from '../../policies/policy-keys.ts';
import { resolveRule } from '../../policies/resolve-rule.ts';
import { placeSnapshot, readBody } from '../../policies/read-rule.ts';
import { getRecord, getRecords } from '../../records.ts';
import type { Json } from '../../values/json.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { endStep } from '../end-run.ts';
import { directionOf, forwardAfterSimulation } from '../forward.ts';
import { makeWayForWaiters } from '../make-way.ts';
import { requireRun, type Situation } from '../read-situation.ts';
import type { RolloutTasks, RunRef } from '../rollout-tasks.ts';
import { batchKey, type SimulationPlan, simulationPlanKey } from '../run-keys.ts';
import type { RunRecord } from '../run-record.ts';
import { mergeResults, percent } from '../simulation/merge-results.ts';
import { parseSuite } from '../simulation/parse-suite.ts';
import { planBatches } from '../simulation/plan-batches.ts';
import { documentOf, listSuitesFor } from '../simulation/registered-suites.ts';
import { renderReport } from '../simulation/render-report.ts';
import { replayBatch, type RuleChange } from '../simulation/replay-batch.ts';
import type { SimulationSummary } from '../simulation/simulation-report.ts';
import type { Suite } from '../simulation/suite.ts';
import { withStages } from '../stages.ts';

type SimulateDeps = RunDeps & Pick<Deps, 'blobs' | 'workflows' | 'log'>;

/** Of a run: they are kept as one blob. */
const maxSuitesBytes = 15 * 1024 * 1024;

type Planned = Awaited<ReturnType<RolloutTasks['plan-simulation']>>;
type Judged = Awaited<ReturnType<RolloutTasks['judge-simulation']>>;

/**
 * Collects the suites about the run's policies, from their packages and those registered, and
 * fixes them for the run. Suites that cannot be used reject it.
 */
export async function planSimulation(deps: SimulateDeps, ref: RunRef): Promise<Planned> {
  const { value: run } = await requireRun(deps, ref);
  if (run.status !== 'simulating') return planned(directionOf(run) === 'ended' ? null : []);
  const known = await getRecord(deps, simulationPlanKey(ref));
  if (known !== undefined) return planned(await missingBatches(deps, ref, known.value));
  try {
    const suites = await collectSuites(deps, ref, run);
    const batches = planBatches(suites);
    const bytes = new TextEncoder().encode(JSON.stringify(suites));
    if (bytes.byteLength > maxSuitesBytes) {
      throw new Unprocessable('invalid_policy', 'Its suites are more than 15 MiB together.');
    }
    const digest = sha256Hex(bytes);
    await deps.blobs.put({ tenant: ref.tenant, digest }, bytes);
    const gates = suites.map(({ name, threshold, protected: cohorts, size }) => ({
      name,
      threshold,
      protected: cohorts,
      size,
    }));
    const value: SimulationPlan = { digest, gates, batches };
    const write = { kind: 'put', key: simulationPlanKey(ref), value, expect: 'absent' } as const;
    // Whoever was faster has planned for the same run: theirs counts.
    if ((await deps.records.commit([write], deps.ids.next())) === 'conflict') {
      return planSimulation(deps, ref);
    }
    return planned(batches.map((_, index) => index));
  } catch (error) {
    if (!(error instanceof AppError) || error.retryable) throw error;
    await reject(deps, ref, `Simulation: ${error.message}`);
    return planned(null);
  }
}

function planned(batches: readonly number[] | null): Planned {
  return { status: batches === null ? 'ended' : 'planned', batches: batches ?? [] };
}

async function collectSuites(
  deps: SimulateDeps,
  { tenant }: RunRef,
  { policies }: RunRecord,
): Promise<Suite[]> {
  const packaged = await Promise.all(
    policies.map(async ({ id, digest }) => {
      const bytes = await deps.blobs.get({ tenant, digest });
      if (bytes === undefined) throw new Error(`The package ${digest} is missing.`);
      const found = await scenariosOf(bytes);
      return found.map(({ name, document }) => parseSuite(name, document, id));
    }),
  );
  const ids = policies.map(({ id }) => id);
  const registered = await Promise.all(
    (await listSuitesFor(deps, tenant, ids)).map(async (suite) =>
      parseSuite(suite.name, await documentOf(deps, tenant, suite)),
    ),
  );
  return [...packaged.flat(), ...registered];
}

/** What is left to replay, when the process was started anew. */
async function missingBatches(
  deps: Pick<Deps, 'records'>,
  ref: RunRef,
  { batches }: SimulationPlan,
): Promise<number[]> {
  const missing: number[] = [];
  for (let from = 0; from < batches.length; from += 100) {
    const places = batches.slice(from, from + 100).map((_, index) => from + index);
    const found = await getRecords(
      deps,
      places.map((batch) => batchKey(ref, batch)),
    );
    missing.push(...places.filter((_, index) => found[index] === undefined));
  }
  return missing;
}

/** Replays one batch of scenarios, and puts down what it showed. */
export async function replayScenarios(
  deps: SimulateDeps,
  { batch: place, ...ref }: RunRef & { readonly batch: number },
): Promise<{ readonly status: 'replayed' }> {
  const [plan, known] = await getRecords(deps, [simulationPlanKey(ref), batchKey(ref, place)]);
  const batch = plan?.value.batches[place];
  if (known !== undefined || plan === undefined || batch === undefined)
    return { status: 'replayed' };
  const { value: run } = await requireRun(deps, ref);
  const suites = await fixedSuites(deps, ref.tenant, plan.value.digest);
  const suite = suites.find(({ name }) => name === batch.suite);
  if (suite === undefined) throw new Error(`The suite ${batch.suite} is not in its plan.`);
  const changes = await ruleChanges(deps, ref.tenant, run, suite);
  const value = await replayBatch(suite, batch, changes);
  // A conflict: somebody else has replayed it, with the same result.
  await deps.records.commit(
    [{ kind: 'put', key: batchKey(ref, place), value, expect: 'absent' }],
    deps.ids.next(),
  );
  return { status: 'replayed' };
}

async function fixedSuites(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  digest: string,
): Promise<Suite[]> {
  const bytes = await deps.blobs.get({ tenant, digest });
  if (bytes === undefined) throw new Error(`The suites ${digest} are missing.`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Suite[];
}

async function ruleChanges(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock'>,
  tenant: string,
  { channel, policies }: RunRecord,
  suite: Suite,
): Promise<RuleChange[]> {
  const ruleOf = async (id: string, ref: Parameters<typeof placeSnapshot>[3]): Promise<Json> => {
    const { body } = await placeSnapshot(deps, tenant, id, ref);
    return JSON.parse(await readBody(deps, tenant, body)) as Json;
  };
  const moved = policies.map(async (policy) => {
    const { id, base } = policy;
    const replaced = base?.rule ?? null;
    const before = replaced === null ? null : await ruleOf(id, replaced);
    return { id, before, after: await ruleOf(id, policy) };
  });
  const others = suite.policies.filter((id) => policies.every((policy) => policy.id !== id));
  const unmoved = others.map(async (id) => {
    const found = await getRecord(deps, channelKey(tenant, id, channel));
    const ref = found === undefined ? null : resolveRule(found.value, deps.clock.nowMs());
    if (ref === null) return [];
    const rule = await ruleOf(id, ref);
    return [{ id, before: rule, after: rule }];
  });
  return [...(await Promise.all(moved)), ...(await Promise.all(unmoved)).flat()];
}

/** Adds the batches up, files the report with each policy, and lets the run go on or rejects it. */
export async function judgeSimulation(deps: SimulateDeps, ref: RunRef): Promise<Judged> {
  const { value: run } = await requireRun(deps, ref);
  if (run.status !== 'simulating') return { status: directionOf(run) };
  const plan = await getRecord(deps, simulationPlanKey(ref));
  if (plan === undefined) throw new Error(`Run ${ref.run} has no plan of its simulation.`);
  const { gates, batches } = plan.value;
  const results = [];
  for (let from = 0; from < batches.length; from += 20) {
    const keys = batches.slice(from, from + 20).map((_, index) => batchKey(ref, from + index));
    for (const record of await getRecords(deps, keys)) if (record) results.push(record.value);
  }
  const merged = mergeResults(gates, results);
  const text = renderReport(merged, gates, results, aboutOf(run));
  const report = gates.length === 0 ? null : await fileReport(deps, ref, run, text);
  const summary = { ...merged, report };
  const judged = await changeRun(deps, serviceOrigin(deps, ref), ref, async (now) =>
    conclude(deps, now, summary),
  );
  if (judged.status === 'ended') await makeWayForWaiters(deps, ref.tenant, run);
  return judged;
}

function aboutOf({ run, channel, policies, createdAt }: RunRecord) {
  return {
    run,
    at: createdAt,
    channel,
    policies: policies.map(({ id, version, base }) => ({
      id,
      before: base?.rule?.version ?? null,
      after: version,
    })),
  };
}

/** The same report beside each policy of the run; answers its address at the first one. */
async function fileReport(
  deps: SimulateDeps,
  ref: RunRef,
  { policies }: RunRecord,
  text: string,
): Promise<string | null> {
  const bytes = new TextEncoder().encode(text);
  const name = `simulation-run-${ref.run}.md`;
  for (const { id } of policies) {
    await addAttachment(deps, serviceOrigin(deps, ref), id, {
      name,
      contentType: 'text/markdown; charset=utf-8',
      bytes,
      reason: `simulation of run ${ref.run}`,
    });
  }
  const [first] = policies;
  if (first === undefined) return null;
  return `/api/policies/${first.id}/attachments/${digestName(sha256Hex(bytes))}`;
}

function conclude(
  deps: Pick<Deps, 'clock'>,
  now: Situation,
  simulation: SimulationSummary,
): RunStep<Judged> | { readonly result: Judged } {
  const { value: run } = now.stored;
  if (run.status !== 'simulating') return { result: { status: directionOf(run) } };
  const at = new Date(deps.clock.nowMs()).toISOString();
  const detail = detailOf(simulation);
  if (!simulation.passed) {
    const outcome = `Simulation: ${simulation.findings[0] ?? detail}`;
    const step = endStep(deps, now, { status: 'rejected', outcome, learned: { simulation } });
    return { ...step, result: { status: 'ended' } };
  }
  const status = simulation.scenarios === 0 ? 'skipped' : 'passed';
  const stages = withStages(run.stages, at, { name: 'simulate', status, detail });
  const forward = forwardAfterSimulation({ ...run, simulation, stages }, at);
  return { action: 'run.simulated', run: forward, result: { status: directionOf(forward) } };
}

function detailOf({ scenarios, replayed, share }: SimulationSummary): string {
  if (scenarios === 0) return 'no scenarios';
  if (share === null) return `none of ${scenarios} scenarios could be replayed`;
  return `${percent(share)} adapted of ${replayed} replayed scenarios`;
}

async function reject(deps: SimulateDeps, ref: RunRef, outcome: string): Promise<void> {
  const ended = await changeRun(deps, serviceOrigin(deps, ref), ref, async (now) => {
    if (now.stored.value.status !== 'simulating') return { result: now.stored.value };
    const step = endStep(deps, now, { status: 'rejected', outcome });
    return { ...step, result: step.run };
  });
  await makeWayForWaiters(deps, ref.tenant, ended);
}
