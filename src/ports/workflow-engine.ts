import type { Json } from '../core/values/json.ts';

/**
 * Drives long processes by the state machines of `statemachines/`. It only drives: what happened
 * is in the records that the tasks write, so a process that is started anew finds its way.
 *
 * Errors: `Unavailable`; the call may or may not have had its effect, and may be repeated.
 */
export interface WorkflowEngine {
  /**
   * Starts a process under a name, `[A-Za-z0-9_-]{1,80}`, with an input of at most 32 KiB. Under
   * the name of one that runs or has ended, nothing happens.
   */
  start(name: string, input: Json): Promise<void>;
  /**
   * Hands its result to the task that waits with this token. `'gone'`: none does, or no longer;
   * that is no error, since who waits may be started anew.
   */
  signal(token: string, result: Json): Promise<'delivered' | 'gone'>;
  /**
   * `'unknown'`: never started, or forgotten when the engine itself was restarted. `'ended'`: it
   * ran to an end of its own, failed, or was stopped.
   */
  status(name: string): Promise<'running' | 'ended' | 'unknown'>;
}
