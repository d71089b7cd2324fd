import { type Command, InvalidArgumentError, Option } from 'commander';
import type { JobMessage } from '../../wire/job.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { channelOption } from '../options.ts';
import { jobLine } from '../job-view.ts';
import { writeStream } from '../write-stream.ts';

interface Options {
  readonly channel?: string;
  readonly jobs?: true | string;
  readonly events?: true | string;
  readonly after?: string;
}

interface PolicyChange {
  readonly id: string;
  readonly channel: string;
  readonly snapshot: string;
  readonly version: string;
  readonly action: string;
  readonly reason: string;
  readonly actor: string;
  readonly effectiveAt: string | null;
  readonly at: string;
}

interface EventMessage {
  readonly action: string;
  readonly subject: string;
  readonly data: unknown;
  readonly at: string;
}

export function addTail(program: Command, does: Does): void {
  const command = program
    .command('tail')
    .summary('tell every change as it happens')
    .description(
      'Tells every change of a rule as it happens, until Ctrl-C; or every step of jobs, or every event.',
    )
    .addOption(channelOption('of rules: only this one'))
    .addOption(
      new Option('--jobs [type]', 'jobs instead of rules, maybe of one type').conflicts('events'),
    )
    .option('--events [type]', 'events of services instead of rules, maybe of one type')
    .option('--after <id>', 'go on after a message; -1 begins with the first ever', eventId)
    .action(does(tail));
  withExamples(
    command,
    'hms-svc tail',
    'hms-svc tail --channel prod --after -1 --json',
    'hms-svc tail --jobs pothole.report',
    'hms-svc tail --events',
  );
}

async function tail(cli: Cli, options: Options) {
  const { jobs, events, channel, after } = options;
  if (jobs !== undefined) {
    const query = { type: jobs === true ? undefined : jobs };
    const stream = { path: '/api/stream/jobs', query, lastEventId: after };
    return writeStream(cli, 'service', stream, (data) => jobLine(JSON.parse(data) as JobMessage));
  }
  if (events !== undefined) {
    const query = { type: events === true ? undefined : events };
    const stream = { path: '/api/stream/events', query, lastEventId: after };
    return writeStream(cli, 'service', stream, (data) =>
      eventLine(JSON.parse(data) as EventMessage),
    );
  }
  const stream = { path: '/api/stream/policies', query: { channel }, lastEventId: after };
  return writeStream(cli, 'service', stream, (data) =>
    changeLine(JSON.parse(data) as PolicyChange),
  );
}

function changeLine(change: PolicyChange): string {
  const { at, action, id, version, channel, snapshot, actor, reason, effectiveAt } = change;
  const what = action.replace(/^policy\./, '');
  const later = effectiveAt === null ? '' : `, from ${effectiveAt}`;
  return `${at} ${channel} ${id}@${version} ${what}${later} by ${actor} (${reason}) ${snapshot}`;
}

function eventLine({ at, action, subject, data }: EventMessage): string {
  return `${at} ${action} ${subject} ${JSON.stringify(data)}`;
}

function eventId(text: string): string {
  if (/^(?:-1|\d{1,12})(?:\.(?:-1|\d{1,12})){0,15}$/.test(text)) return text;
  throw new InvalidArgumentError('The id of a message, or -1 for the beginning.');
}
