import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobRound, JobWork } from './harness/job-load.ts';
import { readOptions } from './harness/options.ts';
import { type Program, startProgram } from './harness/program.ts';
import { printHead, printTable } from './harness/report.ts';
import { median, spread } from './harness/statistics.ts';

const options = readOptions('Durable jobs, enqueued and processed, against bare SQLite', {
  rounds: [5, 'interleaved rounds'],
  jobs: [10_000, 'jobs of a round'],
  concurrency: [10, 'producers, and jobs worked on at once'],
  every: [5, 'ms between two jobs of the second part'],
});

const folder = await mkdtemp(join(tmpdir(), 'hms-bench-jobs-'));
await using limit = await startProgram<JobRound, JobWork>('bare-job-queue');
await using ours = await startProgram<JobRound, JobWork>('embedded-jobs');
const { rounds, jobs, concurrency, every } = options;
let made = 0;
try {
  await compare('Jobs, as fast as they go', { jobs, concurrency, everyMs: null });
  await compare(`Jobs, one every ${every} ms`, { jobs: jobs / 10, concurrency, everyMs: every });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compare(name: string, round: Omit<JobRound, 'folder'>): Promise<void> {
  printHead(
    name,
    `${round.jobs} jobs, concurrency ${concurrency}, ${rounds} rounds on each side in turn, after ` +
      'one to warm up. From the call that enqueues to the durable end of the job; ours with ' +
      'journal, and to the event. The limit: SQLite with group commit, nothing else',
  );
  const limits: JobWork[] = [];
  const taken: JobWork[] = [];
  for (let turn = 0; turn <= rounds; turn++) {
    const [bare, embedded] = [await runRound(limit, round), await runRound(ours, round)];
    if (turn === 0) continue;
    limits.push(bare);
    taken.push(embedded);
  }
  const row = (label: string, digits: number, of: (work: JobWork) => number) => [
    label,
    ...[limits, taken].map((works) => median(works.map(of)).toFixed(digits)),
    spread(taken.map((work, i) => of(work) / of(limits[i]!))),
  ];
  printTable([
    ['median of the rounds', 'limit', 'jobs', 'ratio (min–max)'],
    ...(round.everyMs === null ? [row('per second', 0, (work) => work.jobs / work.seconds)] : []),
    row('p50, ms', 2, ({ p50Ms }) => p50Ms),
    row('p99, ms', 2, ({ p99Ms }) => p99Ms),
    row('CPU each, µs', 0, (work) => (work.cpuSeconds * 1e6) / work.jobs),
  ]);
}

async function runRound(
  side: Program<JobRound, JobWork>,
  round: Omit<JobRound, 'folder'>,
): Promise<JobWork> {
  const place = join(folder, String(made++));
  const work = await side.ask({ ...round, folder: place });
  await rm(place, { recursive: true });
  return work;
}
