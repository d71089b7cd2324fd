import { Unavailable } from '../../core/errors/app-error.ts';
import type { Json } from '../../core/values/json.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import type { WorkflowEngine } from '../../ports/workflow-engine.ts';
import { checkStart } from '../runtime/workflow-limits.ts';
import { parseStateMachine } from './parse-state-machine.ts';
import { runStateMachine } from './run-state-machine.ts';
import type { Outcome } from './run-state-machine.ts';
import { FailReached, StateError } from './state-error.ts';
import { TaskTokens } from './task-tokens.ts';

/** The tasks of a state machine, by the `task` of their input. Errors are told by their `name`. */
export type WorkflowTasks = Readonly<Record<string, (input: Json) => Promise<Json | void>>>;

export interface LocalWorkflowsOptions {
  /** What a file of `statemachines/` holds. */
  readonly definition: Json;
  /** Asked for at every task: they may be made of the engine itself. */
  readonly tasks: () => WorkflowTasks;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface LocalWorkflows extends WorkflowEngine {
  /**
   * Stops every process where no task is under way, and resolves when all have. They have not
   * ended: whoever starts them again, in the next engine, lets them go on by their records. From
   * then on, `start` is `Unavailable`, and every token is gone.
   */
  close(): Promise<void>;
}

const maxRunning = 10_000;
const maxEnded = 10_000;
/** Of Step Functions: what a state hands on. */
const maxResultBytes = 256 * 1024;

/**
 * Runs a state machine within this process. Nothing of it is stored: a new engine knows no process
 * and no token. Also forgotten are all but the latest 10 000 that ended; so many may run at once.
 */
export function localWorkflows(options: LocalWorkflowsOptions): LocalWorkflows {
  const { clock, tasks } = options;
  const machine = parseStateMachine(options.definition);
  const tokens = new TaskTokens(options.ids);
  const running = new Map<string, Promise<void>>();
  const ended = new Set<string>();
  const stop = new AbortController();

  async function run(name: string, input: Json): Promise<void> {
    const log = options.log.with({ workflow: name });
    const invoke = (task: string, given: Json): Promise<Json> => invokeTask(tasks(), task, given);
    const host = { clock, log, tokens, invoke, signal: stop.signal };
    const outcome = await runStateMachine(machine, input, host);
    running.delete(name);
    if (outcome.kind !== 'stopped') remember(ended, name);
    report(outcome, log);
  }

  return {
    async start(name, input) {
      const text = checkStart(name, input);
      if (stop.signal.aborted) throw new Unavailable('The server is stopping. Try again.');
      if (running.has(name) || ended.has(name)) return;
      if (running.size >= maxRunning) throw new Unavailable('Too many workflows run. Try again.');
      const copy: Json = JSON.parse(text);
      running.set(
        name,
        Promise.resolve().then(() => run(name, copy)),
      );
    },

    async signal(token, result) {
      const copy: Json = JSON.parse(JSON.stringify(result));
      return tokens.signal(token, copy) ? 'delivered' : 'gone';
    },

    async status(name) {
      if (running.has(name)) return 'running';
      return ended.has(name) ? 'ended' : 'unknown';
    },

    async close() {
      stop.abort();
      await Promise.all(running.values());
    },
  };
}

async function invokeTask(tasks: WorkflowTasks, name: string, input: Json): Promise<Json> {
  const task = tasks[name];
  if (task === undefined) throw new StateError('States.Runtime', `There is no task ${name}.`);
  const text = JSON.stringify((await task(input)) ?? null);
  if (Buffer.byteLength(text) > maxResultBytes) {
    throw new StateError('States.DataLimitExceeded', `${name} answers more than 256 KiB.`);
  }
  return JSON.parse(text);
}

/** Sets keep their order: the first is the oldest. */
function remember(ended: Set<string>, name: string): void {
  ended.add(name);
  for (const oldest of ended) {
    if (ended.size <= maxEnded) return;
    ended.delete(oldest);
  }
}

function report(outcome: Outcome, log: Log): void {
  if (outcome.kind !== 'failed') log.info(`a workflow ${outcome.kind}`);
  else if (outcome.error instanceof FailReached) {
    log.info('a workflow came to its end early', { state: outcome.error.name });
  } else log.error('a workflow failed', { error: outcome.error });
}
