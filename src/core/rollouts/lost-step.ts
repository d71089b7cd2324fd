import type { RunDeps, RunStep } from './change-run.ts';
import { endStep } from './end-run.ts';
import { lostLane } from './lane-moves.ts';
import type { Situation } from './read-situation.ts';

/** Ends the run when somebody else moved one of its lanes: all of them go back, or none moved. */
export function lostStep(deps: RunDeps, now: Situation): RunStep<'ended'> | null {
  const lost = lostLane(now);
  if (lost === undefined) return null;
  const { progress } = now.stored.value;
  const { id } = lost.policy;
  return progress === null
    ? endStep(deps, now, { status: 'superseded', outcome: `${id} was changed by somebody else.` })
    : endStep(deps, now, { status: 'aborted', outcome: `${id} was rolled back by somebody.` });
}
