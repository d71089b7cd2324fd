import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedRecords } from '../../src/adapters/local/cached-records.ts';
import { openDiskBlobs } from '../../src/adapters/local/disk-blobs.ts';
import { inProcessBus } from '../../src/adapters/local/in-process-bus.ts';
import { inProcessSignal } from '../../src/adapters/local/in-process-signal.ts';
import { prometheusMetrics } from '../../src/adapters/local/prometheus-metrics.ts';
import { openSqliteJobQueue } from '../../src/adapters/local/sqlite-job-queue.ts';
import { openSqliteRecords } from '../../src/adapters/local/sqlite-records.ts';
import { jsonLog } from '../../src/adapters/runtime/json-log.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { uuidIds } from '../../src/adapters/runtime/uuid-ids.ts';
import { eventsOf } from '../../src/core/events-of.ts';
import { defineWorker } from '../../src/core/jobs/define-worker.ts';
import { jobJournal } from '../../src/core/jobs/job-keys.ts';
import { keepWorking } from '../../src/core/jobs/keep-working.ts';
import { submitJob } from '../../src/core/jobs/submit-job.ts';
import { commitLanes } from '../../src/core/journal/commit-lanes.ts';
import { keepRelaying } from '../../src/core/journal/keep-relaying.ts';
import { type JobRound, type JobWork, runJobs } from './job-load.ts';
import { answerQuestions } from './program.ts';

const type = 'bench.note';

/** Jobs as the embedded server does them, with their journal and their events, without HTTP. */
answerQuestions(async (question): Promise<JobWork> => {
  const round = question as JobRound;
  await mkdir(round.folder);
  const clock = systemClock;
  const store = await openSqliteRecords({ file: join(round.folder, 'hms.sqlite'), clock });
  const queue = await openSqliteJobQueue({ file: join(round.folder, 'jobs.sqlite'), clock });
  const worker = defineWorker<string>({
    type,
    schema: { '~standard': { validate: (value) => ({ value: String(value) }) } },
    concurrency: round.concurrency,
    handler: async ({ data }) => data,
  });
  const workers = new Map([[type, worker]]);
  const ids = uuidIds(clock);
  const bus = inProcessBus();
  const base = {
    records: cachedRecords(store, { maxBytes: 256 * 1024 * 1024, clock }),
    blobs: await openDiskBlobs({ root: join(round.folder, 'blobs') }),
    bus,
    signal: inProcessSignal(),
    clock,
    ids,
    log: jsonLog({ write: () => undefined, clock, level: 'warn' }),
    metrics: prometheusMetrics({ processMetrics: false }),
  };
  const deps = {
    ...base,
    queue,
    lanes: commitLanes(base),
    jobJournals: 1,
    workers,
    vet: async () => ({ verdict: 'allowed' as const }),
    workerName: `hms-worker/${ids.next()}`,
    eventsOf,
  };
  const origin = { tenant: 'bench', actor: 'bench', requestId: 'bench' };
  const work = await runJobs(round, {
    enqueue: async (data) => {
      await submitJob(deps, origin, { ...plain, data });
    },
    work: async (ended, stop) => {
      bus.subscribe(['job.completed'], ({ data }) => ended((data as { result: string }).result));
      await Promise.all([
        keepWorking(deps, workers, stop),
        keepRelaying(deps, jobJournal('bench', 0), stop),
      ]);
    },
  });
  queue.close();
  store.close();
  return work;
});

const plain = {
  type,
  priority: 'normal',
  notBeforeMs: null,
  maxAttempts: null,
  subject: 'bench',
  idempotencyKey: null,
  reason: null,
} as const;
