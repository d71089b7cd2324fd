import type { CallOptions, SignalOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import { sleep } from '../api/delays.ts';
import { HmsError } from '../api/errors.ts';
import { followToEnd } from '../api/follow-to-end.ts';
import { patiently } from '../api/patiently.ts';
import type { CreatedRun, NewRun, RunChange, RunPage, RunStage, RunStatus } from '../wire/run.ts';

/** A rollout, step by step. */
export interface Run {
  readonly number: number;
  /** As it is now. */
  readonly status: (options?: SignalOptions) => Promise<RunPage>;
  /**
   * Every step from the first on, as it happens. Ends when the run ends, and goes on by itself after a
   * break. Errors: `ProblemError`; the reason of the signal.
   */
  readonly events: (options?: SignalOptions) => AsyncGenerator<RunChange, void, undefined>;
  /**
   * The run, as soon as everyone has the rule and partners were told. Waits for as long as that takes,
   * also for people: give a signal. Errors: `RunFailedError`; those of `events`.
   */
  readonly done: (options?: SignalOptions) => Promise<RunPage>;
  /** Stops it: everyone is on the rule from before it, at once. Errors: `ProblemError`. */
  readonly abort: (reason?: string, options?: SignalOptions) => Promise<RunPage>;
}

/** The run ended, and its rules are not in force by it. */
export class RunFailedError extends HmsError {
  override readonly name = 'RunFailedError';
  readonly run: number;
  readonly status: RunStatus;
  /** The stage that ended it, with what it says; undefined when none did. */
  readonly stage: RunStage | undefined;
  /** All of it. */
  readonly page: RunPage;

  constructor(page: RunPage) {
    const stage = page.stages.find(({ status }) => status === 'failed');
    const where = stage === undefined ? '' : ` at ${stage.name} (${stage.detail ?? 'no detail'})`;
    super(`Run ${page.run} ended as ${page.status}${where}: ${page.outcome ?? 'no reason given'}`);
    this.run = page.run;
    this.status = page.status;
    this.stage = stage;
    this.page = page;
  }
}

export interface StartRunOptions extends NewRun, CallOptions {}

const pauseMs = 1000;

/**
 * Rolls stored rules out, in stages. The call is not repeated when its answer is lost, since a second
 * run would take the place of the first. Errors: `ProblemError`, `NoAnswerError`.
 */
export async function startRun({ connection, signal, ...wish }: StartRunOptions): Promise<Run> {
  const api = connect(connection);
  const { run } = await api.json<CreatedRun>({
    method: 'POST',
    path: '/api/runs',
    json: wish,
    signal,
  });
  return getRun(run, { connection: api });
}

/** The run of that number. Nothing is asked yet. */
export function getRun(number: number, { connection }: Pick<CallOptions, 'connection'> = {}): Run {
  const api = connect(connection);
  const path = `/api/runs/${number}`;
  const run: Run = {
    number,
    status: async ({ signal } = {}) => api.json<RunPage>({ path, signal }),
    events: ({ signal } = {}) =>
      followToEnd<RunChange>(api, `${path}/events`, ({ action }) => action === 'run.ended', signal),
    async done(options = {}) {
      for (;;) {
        for await (const { action } of run.events(options)) if (action === 'run.ended') break;
        const page = await patiently(async () => run.status(options), options.signal);
        if (page.status === 'succeeded') return page;
        if (page.endedAt !== null) throw new RunFailedError(page);
        await sleep(pauseMs, options.signal);
      }
    },
    abort: async (reason, { signal } = {}) =>
      api.json<RunPage>({
        method: 'POST',
        path: `${path}/abort`,
        json: { reason },
        // One that has ended stays as it ended.
        idempotent: true,
        signal,
      }),
  };
  return run;
}
