import type { Json } from '../../core/values/json.ts';
import { checkpoint, History, Stopped } from './execution.ts';
import type { Execution, Host } from './execution.ts';
import { runTask } from './run-task.ts';
import { FailReached, StateError } from './state-error.ts';
import type {
  ChoiceState,
  MapState,
  StateGraph,
  StateMachine,
  TaskState,
  WaitState,
} from './state-machine.ts';
import { fill, isObject, valueAt } from './state-paths.ts';

/** Of Step Functions. */
const maxWaitSeconds = 99_999_999;

/** `stopped`: the host told it to, and it is safe to begin again with the same input. */
export type Outcome =
  | { readonly kind: 'succeeded' | 'stopped' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Runs a state machine to its end, as Step Functions would. Never rejects. */
export async function runStateMachine(
  machine: StateMachine,
  input: Json,
  host: Host,
): Promise<Outcome> {
  const over = new AbortController();
  const done = new AbortController();
  void host.clock.sleep(machine.timeoutMs, done.signal).then(() => over.abort());
  const signal = AbortSignal.any([host.signal, over.signal]);
  try {
    await runStates(machine, input, { ...host, signal, history: new History() });
    return { kind: 'succeeded' };
  } catch (error) {
    // What fails while everything closes says nothing of the execution.
    if (host.signal.aborted) return { kind: 'stopped' };
    if (!(error instanceof Stopped)) return { kind: 'failed', error };
    const timeout = `It ran longer than ${machine.timeoutMs / 1000} s.`;
    return { kind: 'failed', error: new StateError('States.Timeout', timeout) };
  } finally {
    done.abort();
  }
}

async function runStates(graph: StateGraph, input: Json, execution: Execution): Promise<void> {
  let name: string | undefined = graph.startAt;
  let data = input;
  while (name !== undefined) {
    checkpoint(execution);
    const state = graph.states.get(name);
    if (state === undefined) throw new StateError('States.Runtime', `There is no state ${name}.`);
    execution.log.debug('a state is entered', { state: name });
    switch (state.type) {
      case 'Succeed':
        return;
      case 'Fail':
        throw new FailReached(state.error, state.cause);
      case 'Choice':
        execution.history.add(2);
        name = choose(state, data);
        break;
      case 'Wait':
        await wait(state, data, execution);
        name = state.next;
        break;
      case 'Map':
        await runMap(state, data, execution);
        name = state.next;
        break;
      case 'Task':
        data = withResult(state, data, await runTask(state, data, execution));
        name = state.next;
        break;
    }
  }
}

function choose(state: ChoiceState, data: Json): string {
  const chosen = state.choices.find(({ path, equals }) => valueAt(path, data, {}) === equals);
  return chosen?.next ?? state.otherwise;
}

async function wait(state: WaitState, data: Json, execution: Execution): Promise<void> {
  const seconds = valueAt(state.secondsPath, data, {});
  const isGood = Number.isInteger(seconds) && Number(seconds) >= 0;
  if (!isGood || Number(seconds) > maxWaitSeconds) {
    throw new StateError('States.Runtime', `${state.secondsPath} must be a number of seconds.`);
  }
  execution.history.add(2);
  await execution.clock.sleep(Number(seconds) * 1000, execution.signal);
}

/** When one item fails, the others stop at their next safe point, then all of it fails. */
async function runMap(state: MapState, data: Json, execution: Execution): Promise<void> {
  const items = valueAt(state.itemsPath, data, {});
  if (!Array.isArray(items)) {
    throw new StateError('States.Runtime', `${state.itemsPath} must be a list.`);
  }
  execution.history.add(4 + 2 * items.length);
  const failed = new AbortController();
  const signal = AbortSignal.any([execution.signal, failed.signal]);
  const ahead = items.entries();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    // They share the iterator: each item goes to one of them.
    for (const [Index, Value] of ahead) {
      const input = fill(state.item, data, { Map: { Item: { Index, Value } } });
      await runStates(state.each, input, { ...execution, signal });
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      failure ??= { error };
      failed.abort();
    });
  const workers = Math.min(state.maxConcurrency, items.length);
  await Promise.all(Array.from({ length: workers }, guarded));
  if (failure !== undefined) throw failure.error;
}

function withResult(state: TaskState, data: Json, result: Json): Json {
  if (state.resultName === undefined) return data;
  if (!isObject(data)) throw new StateError('States.Runtime', 'The input must be an object.');
  return { ...data, [state.resultName]: result };
}
