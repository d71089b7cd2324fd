import type { Json } from '../../core/values/json.ts';
import type { JsonObject, Path } from './state-paths.ts';

/**
 * A state machine of `statemachines/`: just the part of the Amazon States Language, in its
 * JSONPath form, that is used there. https://states-language.net/spec.html
 */
export interface StateMachine extends StateGraph {
  readonly timeoutMs: number;
}

export interface StateGraph {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export type State = TaskState | MapState | ChoiceState | WaitState | SucceedState | FailState;

interface Step {
  /** Undefined: the last one. */
  readonly next: string | undefined;
  /** Where in the state's input its result is put; undefined: nowhere. */
  readonly resultName: string | undefined;
}

export interface TaskState extends Step {
  readonly type: 'Task';
  /** By which of the tasks it is done. */
  readonly task: string;
  /** The task's input, with paths in it. */
  readonly input: JsonObject;
  /** It is over when its token is signalled, not when the task has returned. */
  readonly waitsForToken: boolean;
  readonly timeoutMs: number;
  readonly retry: readonly Retrier[];
}

export interface Retrier {
  readonly errors: readonly string[];
  readonly intervalMs: number;
  readonly backoffRate: number;
  readonly maxDelayMs: number;
  readonly maxAttempts: number;
  /** The delay is a random part of what it would be. */
  readonly jitter: boolean;
}

/** Inline. Its result is not kept. */
export interface MapState extends Step {
  readonly type: 'Map';
  readonly itemsPath: Path;
  /** The input for each item, with paths in it. */
  readonly item: JsonObject;
  readonly maxConcurrency: number;
  readonly each: StateGraph;
}

export interface ChoiceState {
  readonly type: 'Choice';
  /** The first that matches. */
  readonly choices: readonly {
    readonly path: Path;
    readonly equals: Json;
    readonly next: string;
  }[];
  readonly otherwise: string;
}

export interface WaitState {
  readonly type: 'Wait';
  readonly secondsPath: Path;
  readonly next: string;
}

export interface SucceedState {
  readonly type: 'Succeed';
}

export interface FailState {
  readonly type: 'Fail';
  readonly error: string;
  readonly cause: string;
}
