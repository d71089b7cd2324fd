import type { RolloutTask, RolloutTasks } from '../core/rollouts/rollout-tasks.ts';

/** What tasks are told besides whose run. */
const extras: Readonly<Partial<Record<RolloutTask, 'batch' | 'token'>>> = {
  'replay-scenarios': 'batch',
  'request-approval': 'token',
  'request-review': 'token',
};

/**
 * Handles the tasks that are given, as `statemachines/rollout.asl.json` calls them: `task` of the
 * event names one, and the rest is its input.
 * Errors: those of the tasks; a `TypeError` for what the state machine never sends.
 */
export function taskHandler<T extends RolloutTask>(
  tasks: Pick<RolloutTasks, T>,
): (event: unknown) => Promise<unknown> {
  const byName = new Map(Object.entries<(input: never) => Promise<unknown>>(tasks));
  return async (event) => {
    if (typeof event !== 'object' || event === null) throw new TypeError('The event is no object.');
    const { task, ...input } = event as Readonly<Record<string, unknown>>;
    const run = typeof task === 'string' ? byName.get(task) : undefined;
    if (run === undefined) throw new TypeError(`Task ${JSON.stringify(task)} is not done here.`);
    checkInput(input, extras[task as T]);
    return await run(input as never);
  };
}

function checkInput(
  { tenant, run, batch, token }: Readonly<Record<string, unknown>>,
  extra: 'batch' | 'token' | undefined,
): void {
  const isGiven = {
    tenant: typeof tenant === 'string' && tenant !== '',
    run: Number.isSafeInteger(run) && Number(run) > 0,
    batch: extra !== 'batch' || (Number.isSafeInteger(batch) && Number(batch) >= 0),
    token: extra !== 'token' || (typeof token === 'string' && token !== ''),
  };
  const missing = Object.entries(isGiven).find(([, given]) => !given);
  if (missing !== undefined) throw new TypeError(`The task is called without its ${missing[0]}.`);
}
