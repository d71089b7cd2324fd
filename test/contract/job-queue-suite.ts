import { afterEach, beforeEach } from 'vitest';

import type { JobQueue, JobTurn, QueuedJob, TurnWish } from '../../src/ports/job-queue.ts';

export interface JobQueueFixture {
  /** Empty, and made for the types `type.a` and `type.b`. */
  readonly queue: JobQueue;
  readonly nowMs: () => number;
  /** Lets so much time pass for the queue. */
  readonly pass: (ms: number) => Promise<void>;
  readonly close?: () => Promise<void> | void;
}

export interface JobQueueSuiteOptions {
  /**
   * Whether jobs of one priority come exactly in turn: one of each tenant after the other, and of
   * one tenant in the order in which they were sent. Elsewhere each comes, in any order.
   */
  readonly exactOrder: boolean;
  /** Whether a job that waits already takes no second place. Elsewhere it is handed out twice. */
  readonly knowsRepeats: boolean;
}

export type MakeJobQueue = () => Promise<JobQueueFixture>;

const minute = 60_000;

/** What every test has at hand, new for each. */
export class JobQueueSuite {
  #fixture: JobQueueFixture | undefined;

  constructor(make: MakeJobQueue) {
    beforeEach(async () => {
      this.#fixture = await make();
    });
    afterEach(async () => {
      await this.#fixture?.close?.();
      this.#fixture = undefined;
    });
  }

  get #running(): JobQueueFixture {
    if (this.#fixture === undefined) throw new Error('no test is running');
    return this.#fixture;
  }

  get queue(): JobQueue {
    return this.#running.queue;
  }

  nowMs(): number {
    return this.#running.nowMs();
  }

  async pass(ms: number): Promise<void> {
    await this.#running.pass(ms);
  }

  job(id: string, change: Partial<QueuedJob> = {}): QueuedJob {
    return {
      tenant: 'demo',
      type: 'type.a',
      id,
      priority: 'normal',
      notBeforeMs: this.nowMs(),
      ...change,
    };
  }

  async send(...ids: readonly string[]): Promise<void> {
    await this.queue.send(ids.map((id) => this.job(id)));
  }

  async receive(wish: Partial<TurnWish> = {}, type = 'type.a'): Promise<JobTurn[]> {
    return await this.queue.receive(type, { max: 10, hideMs: minute, waitMs: 0, ...wish });
  }

  /** The ids of the turns that are there now, in the order in which they came. */
  async ids(wish: Partial<TurnWish> = {}, type = 'type.a'): Promise<string[]> {
    return (await this.receive(wish, type)).map(({ id }) => id);
  }

  /** The one turn that there is now. */
  async turn(wish: Partial<TurnWish> = {}): Promise<JobTurn> {
    const [turn] = await this.receive({ ...wish, max: 1 });
    if (turn === undefined) throw new Error('no job has its turn');
    return turn;
  }

  /** All ids, a receive after the other, until there are no more. */
  async drain(max: number): Promise<string[]> {
    const all: string[] = [];
    for (let ids; (ids = await this.ids({ max })).length > 0;) all.push(...ids);
    return all;
  }
}

/** `count` ids, in order. */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(3, '0')}`);
}
