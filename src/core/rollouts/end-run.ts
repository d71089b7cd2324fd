import type { RunDeps, RunStep } from './change-run.ts';
import { restoreMoves } from './lane-moves.ts';
import type { Situation } from './read-situation.ts';
import type { EndStatus, RunRecord } from './run-record.ts';
import { cutStages } from './stages.ts';
import type { Ticket } from './ticket.ts';

export interface RunEnd {
  readonly status: Exclude<EndStatus, 'succeeded'>;
  /** Why, one line for people. */
  readonly outcome: string;
  readonly reason?: string | null;
  /** What the run has learned in its last step. */
  readonly learned?: Partial<RunRecord>;
  readonly ticket?: Ticket;
}

/**
 * The step that ends a run before its time: everyone is on the rule in force again, the lanes are
 * free, and what was asked of people is void unless `ticket` says otherwise.
 */
export function endStep(
  deps: Pick<RunDeps, 'clock'>,
  now: Situation,
  { status, outcome, reason = null, learned = {}, ticket }: RunEnd,
): RunStep<'ended'> {
  const nowMs = deps.clock.nowMs();
  const at = new Date(nowMs).toISOString();
  const run = { ...now.stored.value, ...learned };
  return {
    action: 'run.ended',
    run: {
      ...run,
      status,
      outcome,
      endedAt: at,
      waitsFor: null,
      stages: cutStages(run.stages, at, outcome),
      ticket: ticket?.id ?? run.ticket,
    },
    result: 'ended',
    reason,
    lanes: restoreMoves(now, nowMs),
    ...(ticket === undefined ? {} : { ticket }),
  };
}
