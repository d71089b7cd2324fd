import type { Command } from 'commander';
import type { AcceptedEvent } from '../../wire/event.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { jsonArgument } from '../json-argument.ts';

interface Options {
  readonly id?: string;
  readonly subject?: string;
}

export function addEvents(program: Command, does: Does): void {
  const events = program
    .command('events')
    .summary('what services tell each other')
    .description('What services tell each other; hms-svc tail --events listens.');
  const publishing = events
    .command('publish')
    .summary('publish an event')
    .description('Publishes an event: every service that subscribes to its type gets it.')
    .argument('<type>', 'what happened, such as voucher-submitted')
    .argument('[data]', 'JSON, @FILE, or - for standard input; null unless given')
    .option('--id <id>', 'a repeat with the same id is no news')
    .option('--subject <subject>', 'what it is about')
    .action(does(publish));
  withExamples(
    publishing,
    'hms-svc events publish voucher-submitted \'{"voucher": 7}\' --id voucher-7-submitted',
  );
}

async function publish(cli: Cli, type: string, text: string | undefined, options: Options) {
  const data = text === undefined ? null : await jsonArgument(cli, text);
  const api = await cli.connect('service');
  const event = await api.json<AcceptedEvent>({
    method: 'POST',
    path: '/events',
    json: { type, data, ...options },
    idempotent: options.id !== undefined,
    signal: cli.io.signal,
  });
  cli.out.result(event, () => cli.out.line(`${event.id} is accepted.`));
}
