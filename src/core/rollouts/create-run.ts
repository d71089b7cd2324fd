import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { Conflict, Forbidden, InvalidRequest, NotFound } from '../errors/app-error.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { JournalEntry, Origin } from '../journal/journal-entry.ts';
import type { CanaryPlan } from '../policies/canary-plan.ts';
import type { Channel } from '../policies/channel.ts';
import { defaultSettings } from '../policies/channel-settings.ts';
import { findSnapshot } from '../policies/find-snapshot.ts';
import { channelSettingsKey } from '../policies/policy-keys.ts';
import { getPartner } from '../partners/partners.ts';
import { getRecords, type KeyOf } from '../records.ts';
import { makeWayForAll } from './make-way.ts';
import type { RunDeps } from './change-run.ts';
import type { RunRef } from './rollout-tasks.ts';
import { openRunKey, runCounterKey, runKey, runLanesKey, runSubject } from './run-keys.ts';
import {
  countLanes,
  hold,
  holdersOf,
  maxRunLanes,
  noLanes,
  queueUp,
  waitersOf,
} from './run-lanes.ts';
import type { RunPolicy, RunRecord } from './run-record.ts';
import { newStages } from './stages.ts';

export const maxRunPolicies = 20;
export const maxRunPartners = 20;

/** What is asked for; `undefined` leaves it to the channel's settings. */
export interface RunRequest {
  /** Each `snapshot` is a name as `findSnapshot` takes it. */
  readonly policies: readonly { readonly id: string; readonly snapshot: string }[];
  readonly channel: Channel;
  /** Null: straight to everyone. */
  readonly canary: CanaryPlan | null | undefined;
  readonly partners: readonly string[];
  /** People who must approve, at least as many as the channel asks for. */
  readonly approvals: number;
  /** Ends a run that is in the way, and starts from the rule in force. */
  readonly hotfix: boolean;
  readonly reason: string | null;
}

export interface CreatedRun {
  readonly run: number;
  readonly status: 'queued';
  /** The run that it waits for, if any. */
  readonly waitsFor: number | null;
}

type CreateDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;

/**
 * Queues a rollout. Where another run about one of its policies has not reached its canary yet,
 * or it is a hotfix, that one ends; else this one waits for it, in place of any that waited.
 * Errors: `NotFound`, `Conflict` (`ambiguous_snapshot`), `InvalidRequest`; `Forbidden` for a
 * hotfix without a reason.
 */
export async function createRun(
  deps: CreateDeps,
  origin: Origin,
  request: RunRequest,
): Promise<CreatedRun> {
  requireSensible(request);
  const policies = await Promise.all(
    request.policies.map(({ id, snapshot }) => namedPolicy(deps, origin.tenant, id, snapshot)),
  );
  await requirePartners(deps, origin.tenant, request.partners);
  const made = await commit(deps, origin, () => decide(deps, origin, request, policies));
  const { run, waitsFor, outdone } = made;
  await makeWayForAll(deps, origin.tenant, [...outdone, run]);
  return { run, status: 'queued', waitsFor };
}

function requireSensible({ policies, partners, hotfix, reason }: RunRequest): void {
  if (policies.length < 1 || policies.length > maxRunPolicies) {
    throw invalid('/policies', `1 to ${maxRunPolicies} of them`);
  }
  if (new Set(policies.map(({ id }) => id)).size < policies.length) {
    throw invalid('/policies', 'name each policy once');
  }
  if (partners.length > maxRunPartners || new Set(partners).size < partners.length) {
    throw invalid('/partners', `at most ${maxRunPartners}, each once`);
  }
  if (hotfix && reason === null) throw new Forbidden('A hotfix needs a reason.');
}

function invalid(pointer: string, detail: string): InvalidRequest {
  return new InvalidRequest('The run is not as it should be.', [{ pointer, detail }]);
}

async function namedPolicy(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  name: string,
): Promise<RunPolicy> {
  const found = await findSnapshot(deps, tenant, id, name);
  const { snapshot, version, digest, effectiveAt } = found;
  return { id, snapshot, version, digest, effectiveAt, base: null };
}

async function requirePartners(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  names: readonly string[],
): Promise<void> {
  const found = await Promise.allSettled(names.map((name) => getPartner(deps, tenant, name)));
  const missing = found.flatMap((result, place) => {
    if (result.status === 'fulfilled') return [];
    if (!(result.reason instanceof NotFound)) throw result.reason;
    return [{ pointer: `/partners/${place}`, detail: `there is no partner "${names[place]}"` }];
  });
  if (missing.length > 0) throw new InvalidRequest('Register the partner first.', missing);
}

async function decide(
  deps: RunDeps,
  origin: Origin,
  request: RunRequest,
  policies: readonly RunPolicy[],
): Promise<Decision<{ run: number; waitsFor: number | null; outdone: readonly number[] }>> {
  const { tenant } = origin;
  const { channel } = request;
  const [counter, lanes, settings] = await getRecords(deps, [
    runCounterKey(tenant),
    runLanesKey(tenant, channel),
    channelSettingsKey(tenant, channel),
  ]);
  const run = (counter?.value.last ?? 0) + 1;
  const ids = policies.map(({ id }) => id);
  const held = lanes?.value ?? noLanes;
  const waitsFor = holdersOf(held, ids)[0] ?? null;
  const after = waitsFor === null ? hold(held, run, ids) : queueUp(held, run, ids);
  if (countLanes(after) > maxRunLanes) {
    throw new Conflict(`${maxRunLanes} policies of ${channel} are in runs already.`);
  }
  const asked = settings?.value ?? defaultSettings;
  const approvals = Math.max(request.approvals, asked.approvals);
  const canary = request.canary === undefined ? asked.canary : request.canary;
  const record = newRun(request, policies, run, waitsFor, approvals, canary);
  const ref = { tenant, run };
  return {
    kind: 'change',
    entry: {
      action: 'run.queued',
      subject: runSubject(run),
      before: null,
      after: {
        run,
        status: 'queued',
        channel,
        policies: policies.map(({ id, snapshot }) => ({ id, snapshot })),
        waitsFor,
      },
      reason: request.reason,
    },
    writes: (entry) => [
      ...recordWrites(ref, { ...record, ...madeBy(origin, entry) }),
      put(runCounterKey(tenant), { last: run }, counter),
      put(runLanesKey(tenant, channel), after, lanes),
    ],
    result: () => ({ run, waitsFor, outdone: waitersOf(held, ids) }),
  };
}

function madeBy({ actor }: Origin, { at, index }: JournalEntry) {
  return { createdAt: at, author: actor, firstIndex: index };
}

function recordWrites(ref: RunRef, record: RunRecord): RecordWrite[] {
  return [
    { kind: 'put', key: runKey(ref), value: record, expect: 'absent' },
    { kind: 'put', key: openRunKey(ref), value: ref, expect: 'absent' },
  ];
}

function put<V>(key: KeyOf<V>, value: V, read: StoredRecord<V> | undefined): RecordWrite {
  return { kind: 'put', key, value, expect: read?.rev ?? 'absent' };
}

function newRun(
  { channel, partners, hotfix, reason }: RunRequest,
  policies: readonly RunPolicy[],
  run: number,
  waitsFor: number | null,
  approvals: number,
  canary: CanaryPlan | null,
): Omit<RunRecord, 'createdAt' | 'author' | 'firstIndex'> {
  return {
    run,
    channel,
    status: 'queued',
    policies,
    stages: newStages(approvals > 0),
    canary,
    partners,
    approvals,
    hotfix,
    reason,
    endedAt: null,
    outcome: null,
    waitsFor,
    lint: null,
    simulation: null,
    progress: null,
    releasedAtMs: null,
    ticket: null,
  };
}
