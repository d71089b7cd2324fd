import { localWorkflows } from '../../src/adapters/local/local-workflows.ts';
import type { LocalWorkflows, WorkflowTasks } from '../../src/adapters/local/local-workflows.ts';
import type { Ids } from '../../src/ports/ids.ts';
import type { LogFields } from '../../src/ports/log.ts';
import { coreDeps } from './core-deps.ts';
import type { LoggedLine } from './core-deps.ts';
import { ManualClock } from './manual-clock.ts';
import { rolloutDefinition } from './rollout-paths.ts';

export interface LocalRollout {
  readonly engine: LocalWorkflows;
  readonly clock: ManualClock;
  readonly lines: readonly LoggedLine[];
  /** The states that were entered so far. */
  readonly entered: () => readonly unknown[];
}

export interface LocalRolloutOptions {
  readonly tasks: WorkflowTasks;
  readonly clock?: ManualClock;
  readonly ids?: Ids;
  /** Called when a state is entered, before anything is done there. */
  readonly onState?: (state: unknown) => void;
}

/** `rollout.asl.json` on the embedded engine, with the tasks given, on a clock that stands still. */
export function localRollout(options: LocalRolloutOptions): LocalRollout {
  const clock = options.clock ?? new ManualClock();
  const deps = coreDeps({ clock });
  const debug = (msg: string, fields?: LogFields): void => {
    deps.log.debug(msg, fields);
    if (msg === 'a state is entered') options.onState?.(fields?.['state']);
  };
  const log = { ...deps.log, debug, with: () => log };
  const engine = localWorkflows({
    definition: rolloutDefinition,
    tasks: () => options.tasks,
    clock,
    ids: options.ids ?? deps.ids,
    log,
  });
  const { lines } = deps.log;
  const entered = (): readonly unknown[] =>
    lines.flatMap(({ msg, state }) => (msg === 'a state is entered' ? [state] : []));
  return { engine, clock, lines, entered };
}
