import { afterEach, beforeEach, expect, vi } from 'vitest';
import {
  defineWorker,
  type HandlerContext,
  type WorkerDefinition,
} from '../../../sdk/src/jobs/define-worker.ts';
import { enqueue } from '../../../sdk/src/jobs/enqueue.ts';
import type { Job } from '../../../sdk/src/jobs/job.ts';
import {
  runWorker,
  type RunningWorker,
  type RunWorkerOptions,
  type WorkerEvent,
} from '../../../sdk/src/jobs/run-worker.ts';
import type { JobMessage, JobPage } from '../../../sdk/src/wire/job.ts';
import { SdkDesk } from '../../support/sdk-desk.ts';
import { stopTime, whileTimePasses } from '../../support/while-time-passes.ts';

export interface Letter {
  readonly to: string;
}

export const letterType = 'letter.print';
const oneHourMs = 3_600_000;

/** Workers, and the service that has jobs for them, in a time of their own. */
export class WorkerBench {
  desk = new SdkDesk();
  /** What all of them did. */
  events: WorkerEvent[] = [];
  readonly #workers: RunningWorker[] = [];

  begin(): void {
    stopTime();
    this.desk = new SdkDesk();
    this.events = [];
  }

  async end(): Promise<void> {
    this.desk.fault = () => undefined;
    const workers = this.#workers.splice(0);
    for (const worker of workers) await whileTimePasses(worker.close({ graceMs: 0 }));
    // Handlers that go on regardless come to their end.
    await vi.advanceTimersByTimeAsync(oneHourMs);
    // Whoever is closed leaves nothing behind that goes off later.
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  }

  work(
    handler: (context: HandlerContext<Letter>) => unknown,
    more: Partial<WorkerDefinition<Letter>> = {},
    options: Partial<RunWorkerOptions> = {},
  ): RunningWorker {
    const worker = runWorker({
      workers: [defineWorker<Letter>({ type: letterType, handler, ...more })],
      connection: this.desk.connection(),
      onEvent: (event) => void this.events.push(event),
      ...options,
    });
    this.#workers.push(worker);
    return worker;
  }

  async handIn(data: unknown = { to: 'Ravi' }, more: object = {}): Promise<Job> {
    const connection = this.desk.connection();
    return whileTimePasses(enqueue({ type: letterType, data, connection, ...more }));
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  /** How often a worker called about a job. */
  callsOf({ id }: Job, verb: string): number {
    return this.desk.calls.filter((call) => call === `POST /jobs/${id}/${verb}`).length;
  }
}

/** A bench that is new for each test of the file. */
export function useWorkers(): WorkerBench {
  const bench = new WorkerBench();
  beforeEach(() => bench.begin());
  afterEach(() => bench.end());
  return bench;
}

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, count * 1000);
  });
}

export async function pageOf(job: Job): Promise<JobPage> {
  return whileTimePasses(job.status());
}

export async function toldOf(job: Job): Promise<JobMessage[]> {
  const told: JobMessage[] = [];
  const listening = (async () => {
    for await (const message of job.progress()) told.push(message);
  })();
  await whileTimePasses(listening);
  return told;
}
