import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openSqliteJobQueue } from '../../src/adapters/local/sqlite-job-queue.ts';
import { faultyJobQueue } from '../support/faulty-job-queue.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryJobQueue } from '../support/memory-job-queue.ts';
import { describeJobQueue } from './job-queue.suite.ts';

const exact = { exactOrder: true, knowsRepeats: true };

function manualTime() {
  const clock = new ManualClock();
  return {
    clock,
    nowMs: () => clock.nowMs(),
    pass: (ms: number) => clock.advance(ms),
  };
}

describeJobQueue(
  'sqliteJobQueue',
  async () => {
    const { clock, ...time } = manualTime();
    const folder = await mkdtemp(join(tmpdir(), 'hms-jobs-'));
    const queue = await openSqliteJobQueue({ file: join(folder, 'jobs.sqlite'), clock });
    return {
      queue,
      ...time,
      close: async () => {
        queue.close();
        await rm(folder, { recursive: true });
      },
    };
  },
  exact,
);

describeJobQueue(
  'memoryJobQueue',
  async () => {
    const { clock, ...time } = manualTime();
    return { queue: memoryJobQueue(clock), ...time };
  },
  exact,
);

describeJobQueue(
  'faultyJobQueue without faults',
  async () => {
    const { clock, ...time } = manualTime();
    return { queue: faultyJobQueue(memoryJobQueue(clock), {}), ...time };
  },
  exact,
);
