import type { Json } from '../../core/values/json.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { StateError } from './state-error.ts';
import type { JsonObject } from './state-paths.ts';
import type { TaskTokens } from './task-tokens.ts';

/** Of Step Functions: an execution with more fails there, and so it does here. */
const maxHistoryEvents = 25_000;

/** What an execution runs on. */
export interface Host {
  readonly clock: Clock;
  /** Says which execution it is. */
  readonly log: Log;
  readonly tokens: TaskTokens;
  /** Runs a task once. What it answers is JSON. */
  readonly invoke: (task: string, input: JsonObject) => Promise<Json>;
  /** Aborted: stop where no task is under way. */
  readonly signal: AbortSignal;
}

/** A host's work on one execution, or on a part of it that stops by itself. */
export interface Execution extends Host {
  readonly history: History;
}

/** Says that it stopped because its signal told it to; never seen outside. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Throws `Stopped` if it must go no further. */
export function checkpoint({ signal }: Execution): void {
  if (signal.aborted) throw new Stopped();
}

/** How many events Step Functions would have in its history of an execution. */
export class History {
  #events = 2;

  /** Errors: `States.Runtime` when there are too many. */
  add(events: number): void {
    this.#events += events;
    if (this.#events <= maxHistoryEvents) return;
    throw new StateError('States.Runtime', `It has more than ${maxHistoryEvents} events.`);
  }
}
