import { type Command, Option } from 'commander';
import type { Api } from '../../api/api.ts';
import { readEvents } from '../../api/event-source.ts';
import type { EnqueuedJob, JobMessage, JobPage, JobStatus } from '../../wire/job.ts';
import type { Cli, Does } from '../cli.ts';
import { parseSeconds } from '../durations.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { jobLine } from '../job-view.ts';
import { jsonArgument } from '../json-argument.ts';
import { reasonHeader } from '../arguments.ts';
import { limitOption, reasonOption, time, wholeNumber } from '../options.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { writeTable } from '../table.ts';

const statuses = [
  'queued',
  'processing',
  'failed',
  'completed',
  'rejected',
  'dead',
  'cancelled',
] as const satisfies readonly JobStatus[];

export function addJobs(program: Command, does: Does): void {
  const jobs = program
    .command('jobs')
    .summary('work that is done when its turn comes')
    .description('Work that is taken on at once, and done when its turn comes.');
  addEnqueue(jobs, does);
  addList(jobs, does);
  addGet(jobs, does);
  addWatch(jobs, does);
  addRetry(jobs, does);
  addCancel(jobs, does);
}

interface EnqueueOptions {
  readonly key?: string;
  readonly priority?: string;
  readonly notBefore?: string;
  readonly delay?: number;
  readonly maxAttempts?: number;
  readonly subject?: string;
  readonly reason?: string;
  readonly watch?: true;
}

function addEnqueue(jobs: Command, does: Does): void {
  const command = jobs
    .command('enqueue')
    .summary('hand a job in')
    .description('Hands a job in. With --key, a repeat is the same job.')
    .argument('<type>', 'what is to be done, such as pothole.report')
    .argument('[data]', 'JSON, @FILE, or - for standard input; null unless given')
    .option('--key <key>', 'the same again under the same key is one job')
    .addOption(
      new Option('--priority <priority>', 'whose turn comes first; normal unless given').choices([
        'high',
        'normal',
        'low',
      ]),
    )
    .option('--not-before <time>', 'not started before then', time)
    .option('--delay <time>', 'the same, from now on: 90s, 5m, 2h', parseSeconds)
    .option('--max-attempts <count>', 'as its worker has it, else 5', wholeNumber(1, 25))
    .option('--subject <subject>', 'on whose behalf')
    .addOption(reasonOption())
    .option('--watch', 'follow it until it has ended')
    .action(does(enqueue));
  withExamples(
    command,
    'hms-svc jobs enqueue pothole.report \'{"lat": 38.5, "lon": -98.2, "description": "deep"}\'',
    'hms-svc jobs enqueue letter.print @letter.json --key letter-7 --watch',
  );
}

async function enqueue(cli: Cli, type: string, text: string | undefined, options: EnqueueOptions) {
  const { key, subject, watch, priority, notBefore, delay, maxAttempts, reason } = options;
  const data = text === undefined ? null : await jsonArgument(cli, text);
  const api = await cli.connect('service');
  const job = await api.json<EnqueuedJob>({
    method: 'POST',
    path: '/jobs',
    json: { type, data, priority, notBefore, delaySeconds: delay, maxAttempts, reason },
    headers: { 'idempotency-key': key, 'x-subject': subject },
    idempotent: key !== undefined,
    signal: cli.io.signal,
  });
  if (watch === true) return watchJob(cli, api, job.id);
  cli.out.result(job, () => cli.out.line(`${job.id} is queued: hms-svc jobs watch ${job.id}`));
  return exitCodes.done;
}

function addList(jobs: Command, does: Does): void {
  const command = jobs
    .command('list')
    .summary('list jobs')
    .description('Lists jobs: newest first, or open ones in the order of their turns.')
    .option('--type <type>', 'only these')
    .addOption(new Option('--status <status>', 'only these').choices(statuses))
    .addOption(limitOption())
    .action(
      does(async (cli, options: { type?: string; status?: string; limit: number }) => {
        const { limit, ...query } = options;
        const api = await cli.connect('service');
        const page = await readPages<JobPage>(api, '/jobs', query, limit, cli.io.signal);
        cli.out.result(page, () => {
          const rows = page.items.map((job) => [
            job.id,
            job.type,
            job.status,
            job.createdAt,
            noteOf(job),
          ]);
          writeTable(cli.out, ['JOB', 'TYPE', 'STATUS', 'AT', ''], rows, 'There is no such job.');
        });
      }),
    );
  withExamples(
    command,
    'hms-svc jobs list',
    '# The dead-letter queue',
    'hms-svc jobs list --status dead',
  );
}

function noteOf({ error, progress, status }: JobPage): string {
  if (status === 'processing' && progress !== null) return `${progress.percent}%`;
  return error === null ? '' : error.message;
}

function addGet(jobs: Command, does: Does): void {
  const command = jobs
    .command('get')
    .summary('show a job')
    .description('Shows a job: its status, its result or error, and its history.')
    .argument('<job>', 'its id')
    .action(
      does(async (cli, id: string) => {
        const api = await cli.connect('service');
        const job = await api.json<JobPage>({ path: path`/jobs/${id}`, signal: cli.io.signal });
        cli.out.result(job, () => writeJob(cli, job));
      }),
    );
  withExamples(command, 'hms-svc jobs get 01a21e96-21b8-77a4-bb53-5b59bb2241a1');
}

function writeJob({ out }: Cli, job: JobPage): void {
  out.line(`${out.paint('bold', job.id)}  ${job.type}  ${job.status}`);
  out.line(`By ${job.actor} for ${job.subject}, attempt ${job.attempts} of ${job.maxAttempts}`);
  for (const { at, status, by, detail } of job.history) {
    out.line(`• ${at} ${status} by ${by}${detail === null ? '' : `: ${detail}`}`);
  }
  if (job.result !== null) out.line(`Result: ${JSON.stringify(job.result)}`);
  if (job.error !== null) out.line(`Error: ${job.error.message} (${job.error.code})`);
  const canRetry = job.status === 'dead' || job.status === 'failed';
  if (canRetry) out.line(`Next: hms-svc jobs retry ${job.id}`);
}

function addWatch(jobs: Command, does: Does): void {
  const command = jobs
    .command('watch')
    .summary('follow a job until it has ended')
    .description('Follows a job until it has ended. Exits with 6 unless it completed.')
    .argument('<job>', 'its id')
    .action(does(async (cli, id: string) => watchJob(cli, await cli.connect('service'), id)));
  withExamples(command, 'hms-svc jobs watch 01a21e96-21b8-77a4-bb53-5b59bb2241a1');
}

/** Tells each step; a step whose repeat comes after a break is not told again. */
async function watchJob(cli: Cli, api: Api, id: string): Promise<number> {
  const { io, out } = cli;
  try {
    const stream = { path: path`/jobs/${id}/events`, signal: io.signal };
    for await (const { data } of readEvents(api, stream)) {
      const message = JSON.parse(data) as JobMessage;
      out.item(message, () => out.line(jobLine(message)));
      const ended = ['job.completed', 'job.rejected', 'job.dead', 'job.cancelled'];
      if (ended.includes(message.action)) break;
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
    out.note(`The job goes on without you. To give it up: hms-svc jobs cancel ${id}`);
    return exitCodes.interrupted;
  }
  const job = await api.json<JobPage>({ path: path`/jobs/${id}`, signal: io.signal });
  if (job.status === 'completed') return exitCodes.done;
  out.note(`The job is ${job.status}: ${job.error?.message ?? 'given up'}`);
  if (job.status === 'dead') out.note(`Next: hms-svc jobs retry ${id}`);
  return exitCodes.endedBadly;
}

function addRetry(jobs: Command, does: Does): void {
  const command = jobs
    .command('retry')
    .summary('have a dead job tried again')
    .description('Has a dead job tried anew, or one that has failed at once.')
    .argument('<job>', 'its id')
    .addOption(reasonOption())
    .action(
      does(async (cli, id: string, { reason }: { readonly reason?: string }) => {
        const job = await (
          await cli.connect('service')
        ).json<JobPage>({
          method: 'POST',
          path: path`/jobs/${id}/retry`,
          json: { reason },
          signal: cli.io.signal,
        });
        cli.out.result(job, () => cli.out.line(`${id} is ${job.status}: hms-svc jobs watch ${id}`));
      }),
    );
  withExamples(
    command,
    'hms-svc jobs retry 01a21e96-21b8-77a4-bb53-5b59bb2241a1 --reason "mail is back"',
  );
}

function addCancel(jobs: Command, does: Does): void {
  const command = jobs
    .command('cancel')
    .summary('give a job up')
    .description('Gives a job up, also one that is being worked on: nothing of that is kept.')
    .argument('<job>', 'its id')
    .addOption(reasonOption())
    .action(
      does(async (cli, id: string, { reason }: { readonly reason?: string }) => {
        const job = await (
          await cli.connect('service')
        ).json<JobPage>({
          method: 'DELETE',
          path: path`/jobs/${id}`,
          headers: { 'x-reason': reasonHeader(reason) },
          signal: cli.io.signal,
        });
        cli.out.result(job, () => cli.out.line(`${id} is ${job.status}.`));
      }),
    );
  withExamples(command, 'hms-svc jobs cancel 01a21e96-21b8-77a4-bb53-5b59bb2241a1');
}
