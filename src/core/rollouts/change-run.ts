import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { commit } from '../journal/commit.ts';
import type { JournalEntry, Origin } from '../journal/journal-entry.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import { laneChangeWrites, type LaneChange } from '../policies/lane-writes.ts';
import type { LaneAction, MovedLane } from '../policies/timeline-entry.ts';
import { readSituation, type Situation } from './read-situation.ts';
import type { RunRef } from './rollout-tasks.ts';
import { openRunKey, runKey, runLanesKey, runSubject, ticketKey } from './run-keys.ts';
import { letGo } from './run-lanes.ts';
import { isOpen, type RunRecord } from './run-record.ts';
import type { Ticket } from './ticket.ts';

export type RunDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

/** Who the journal names for what the service does by itself. */
export function serviceOrigin(deps: Pick<Deps, 'ids'>, { tenant }: RunRef): Origin {
  return { tenant, actor: 'hms-svc', requestId: deps.ids.next() };
}

export type RunAction =
  | 'run.queued'
  | 'run.started'
  | 'run.linted'
  | 'run.simulated'
  | 'run.asked'
  | 'run.approved'
  | 'run.held'
  | 'run.canary'
  | 'run.extended'
  | 'run.judged'
  | 'run.released'
  | 'run.notifying'
  | 'run.ended';

/** What a step makes of its run. */
export interface RunStep<T> {
  readonly action: RunAction;
  readonly run: RunRecord;
  readonly result: T;
  readonly reason?: string | null;
  readonly lanes?: readonly (LaneChange & { readonly action: LaneAction })[];
  readonly ticket?: Ticket;
  /** What else the journal is to know. */
  readonly facts?: Readonly<Record<string, Json>>;
  readonly writes?: readonly RecordWrite[];
  /** The run lets go of its lanes, as it does when it ends: others may come. */
  readonly letsGo?: boolean;
}

/**
 * Changes a run in one commit: its record, the lanes that it moves, its ticket and the journal.
 * `decide` gets what stands now, and answers a step, or only a result when there is nothing to do.
 */
export async function changeRun<T>(
  deps: RunDeps,
  origin: Origin,
  ref: RunRef,
  decide: (now: Situation) => Promise<RunStep<T> | { readonly result: T }>,
): Promise<T> {
  return commit(deps, origin, async () => {
    const now = await readSituation(deps, ref);
    const step = await decide(now);
    if (!('run' in step)) return { kind: 'unchanged', result: step.result };
    const ticket = await ticketWrites(deps, now, step);
    return {
      kind: 'change',
      entry: {
        action: step.action,
        subject: runSubject(ref.run),
        before: { status: now.stored.value.status },
        after: stateOf(step),
        reason: step.reason ?? null,
      },
      writes: (entry) => [...stepWrites(now, step, entry), ...ticket],
      result: () => step.result,
    };
  });
}

function stepWrites<T>(now: Situation, step: RunStep<T>, entry: JournalEntry): RecordWrite[] {
  const { ref, stored, head } = now;
  const { run, lanes = [], writes = [] } = step;
  const place = { tenant: ref.tenant, channel: run.channel };
  return [
    { kind: 'put', key: runKey(ref), value: run, expect: stored.rev },
    ...(lanes.length === 0 ? [] : laneChangeWrites(place, head, lanes, entry)),
    ...(step.letsGo === true || !isOpen(run.status) ? letGoWrites(now, run) : []),
    ...writes,
  ];
}

/** Once: a run that ended after its release has let go already. */
function letGoWrites({ ref, runLanes }: Situation, run: RunRecord): RecordWrite[] {
  const ended: RecordWrite[] = isOpen(run.status)
    ? []
    : [{ kind: 'delete', key: openRunKey(ref), expect: 1 }];
  if (runLanes === undefined) return ended;
  const { holders, waiting } = runLanes.value;
  const holds = [...Object.values(holders), ...Object.values(waiting)].includes(ref.run);
  if (!holds) return ended;
  const key = runLanesKey(ref.tenant, run.channel);
  const value = letGo(runLanes.value, ref.run);
  return [...ended, { kind: 'put', key, value, expect: runLanes.rev }];
}

/** The step's ticket; and, when the run ends, the one that it waited for is void. */
async function ticketWrites<T>(
  deps: Pick<Deps, 'records'>,
  { ref, stored }: Situation,
  { run, ticket }: RunStep<T>,
): Promise<RecordWrite[]> {
  const { tenant } = ref;
  const asked = isOpen(run.status) ? null : stored.value.ticket;
  const [own, other] = await Promise.all([
    ticket === undefined ? undefined : getRecord(deps, ticketKey(tenant, ticket.id)),
    asked === null || asked === ticket?.id ? undefined : getRecord(deps, ticketKey(tenant, asked)),
  ]);
  const writes: RecordWrite[] = [];
  if (ticket !== undefined) {
    const key = ticketKey(tenant, ticket.id);
    writes.push({ kind: 'put', key, value: ticket, expect: own?.rev ?? 'absent' });
  }
  if (other?.value.status === 'open') {
    const value: Ticket = { ...other.value, status: 'void', closedAt: run.endedAt };
    writes.push({ kind: 'put', key: other.key, value, expect: other.rev });
  }
  return writes;
}

/** What the journal keeps of a step: the run's own record has the rest. */
function stateOf<T>({ run, lanes = [], ticket, facts }: RunStep<T>): Json {
  const { status, outcome, policies } = run;
  const stages = run.stages.map(({ name, status: of, detail }) => ({ name, status: of, detail }));
  return {
    run: run.run,
    status,
    outcome,
    channel: run.channel,
    policies: policies.map(({ id, snapshot }) => ({ id, snapshot })),
    stages,
    ...facts,
    ...(ticket === undefined ? {} : { ticket: { id: ticket.id, status: ticket.status } }),
    ...(lanes.length === 0 ? {} : { lanes: lanes.map(movedLane) }),
  };
}

function movedLane(change: LaneChange & { readonly action: LaneAction }): MovedLane {
  const { id, action, changed, before } = change;
  return { id, ...changed, action, before: before?.snapshot ?? null };
}
