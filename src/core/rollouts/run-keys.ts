import { sortableIndex } from '../journal/journal-keys.ts';
import type { Channel } from '../policies/channel.ts';
import type { KeyOf } from '../records.ts';
import type { RunLanes } from './run-lanes.ts';
import type { RunRecord } from './run-record.ts';
import type { RunRef } from './rollout-tasks.ts';
import type { BatchResult } from './simulation/batch-result.ts';
import type { Batch } from './simulation/plan-batches.ts';
import type { SuiteGate } from './simulation/suite.ts';
import type { Ticket } from './ticket.ts';

export function runsPartition(tenant: string): string {
  return `${tenant}#runs`;
}

export function runKey({ tenant, run }: RunRef): KeyOf<RunRecord> {
  return { partition: runsPartition(tenant), sort: sortableIndex(run) };
}

/** The number that was given to a run last. */
export function runCounterKey(tenant: string): KeyOf<{ readonly last: number }> {
  return { partition: `${tenant}#state`, sort: 'run-counter' };
}

/** Which runs hold, or wait for, the lanes of a channel. */
export function runLanesKey(tenant: string, channel: Channel): KeyOf<RunLanes> {
  return { partition: `${tenant}#state`, sort: `run-lanes#${channel}` };
}

/** Every run that has not ended, over all tenants: what the reconciler looks after. */
export const openRunsPartition = '#open-runs';

export function openRunKey({ tenant, run }: RunRef): KeyOf<RunRef> {
  return { partition: openRunsPartition, sort: `${tenant}#${sortableIndex(run)}` };
}

/** What a run keeps beside its record. */
export function runPartition({ tenant, run }: RunRef): string {
  return `${tenant}#run#${run}`;
}

/** The token of the task that waits for a ticket. It never leaves the service. */
export function taskTokenKey(ref: RunRef): KeyOf<{ readonly token: string }> {
  return { partition: runPartition(ref), sort: 'task-token' };
}

/** The suites of a run, fixed when its simulation began. */
export interface SimulationPlan {
  /** Of the suites' JSON in the blob store. */
  readonly digest: string;
  readonly gates: readonly SuiteGate[];
  readonly batches: readonly Batch[];
}

export function simulationPlanKey(ref: RunRef): KeyOf<SimulationPlan> {
  return { partition: runPartition(ref), sort: 'simulation-plan' };
}

/** What a batch of the plan showed, by its place there. */
export function batchKey(ref: RunRef, place: number): KeyOf<BatchResult> {
  return { partition: runPartition(ref), sort: `simulation#${sortableIndex(place)}` };
}

export function ticketsPartition(tenant: string): string {
  return `${tenant}#tickets`;
}

export function ticketKey(tenant: string, id: string): KeyOf<Ticket> {
  return { partition: ticketsPartition(tenant), sort: ticketSort(id) };
}

/** Orders tickets, `run-<n>-<kind>`, by their runs; what is no such id is that of no ticket. */
export function ticketSort(id: string): string {
  const [, run, kind] = /^run-(\d{1,12})-([a-z]+)$/.exec(id) ?? [];
  return run === undefined ? `none#${id}` : `${sortableIndex(Number(run))}#${kind}`;
}

/** What the journal calls a run. */
export function runSubject(run: number): string {
  return `run:${run}`;
}

/** The name of a run's process in the workflow engine. */
export function processName({ tenant, run }: RunRef): string {
  return `${tenant}-run-${run}`;
}
