import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { readBytes } from '../json-argument.ts';
import { limitOption, runNumber } from '../options.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { writeTable } from '../table.ts';

interface Partner {
  readonly name: string;
  readonly kind: 'webhook' | 'email' | 'sftp';
  readonly url?: string;
  readonly to?: readonly string[];
  readonly host?: string;
  readonly folder?: string;
}

interface Delivery {
  readonly id: string;
  readonly run: number;
  readonly partner: string;
  readonly kind: 'released' | 'restored';
  readonly status: string;
  readonly attempts: readonly { readonly detail: string; readonly at: string }[];
  readonly nextAttemptAt: string | null;
}

export function addPartners(program: Command, does: Does): void {
  const partners = program
    .command('partners')
    .summary('who is told of a rollout')
    .description('Who is told when a rule has reached everyone, and whether they have been.');
  const listing = partners
    .command('list')
    .summary('list partners')
    .description('Lists partners, and where they are told.')
    .addOption(limitOption())
    .action(does(list));
  withExamples(listing, 'hms-svc partners list');
  const putting = partners
    .command('put')
    .summary('add a partner, or change it')
    .description('Adds a partner, or changes where it is told. Secrets come in the file.')
    .argument('<name>', 'its name')
    .argument('<file>', 'JSON with kind, and url, to or host; - for standard input')
    .action(does(put));
  withExamples(
    putting,
    'hms-svc partners put state-of-maine maine.json',
    'hms-svc partners put ncr -',
  );
  const removing = partners
    .command('remove')
    .summary('tell a partner nothing more')
    .description('Tells a partner nothing more, and forgets its secret.')
    .argument('<name>', 'its name')
    .action(does(remove));
  withExamples(removing, 'hms-svc partners remove state-of-maine');
  const delivering = partners
    .command('deliveries')
    .summary('tell which partners know of a run')
    .description('Tells which partners have been told of a run.')
    .argument('<run>', 'its number', runNumber)
    .action(does(deliveries));
  withExamples(delivering, 'hms-svc partners deliveries 184');
  const again = partners
    .command('redeliver')
    .summary('tell a partner again')
    .description('Tells a partner again, under the same id.')
    .argument('<delivery>', 'its id')
    .action(does(redeliver));
  withExamples(again, 'hms-svc partners redeliver run-184-released-state-of-maine');
}

async function list(cli: Cli, { limit }: { readonly limit: number }) {
  const api = await cli.connect('editor');
  const page = await readPages<Partner>(api, '/api/partners', {}, limit, cli.io.signal);
  cli.out.result(page, () => {
    const rows = page.items.map((partner) => [partner.name, partner.kind, placeOf(partner)]);
    const none = 'There is no partner yet: hms-svc partners put NAME FILE';
    writeTable(cli.out, ['PARTNER', 'BY', 'WHERE'], rows, none);
  });
}

function placeOf({ url, to, host, folder }: Partner): string {
  return url ?? to?.join(', ') ?? `${host}:${folder}`;
}

async function put(cli: Cli, name: string, file: string) {
  const text = (await readBytes(cli, file)).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Not what the parser says: it may quote a secret.
    throw new Failure(exitCodes.usage, `${file} is no JSON.`);
  }
  const api = await cli.connect('admin');
  const partner = await api.json<Partner>({
    method: 'PUT',
    path: path`/api/partners/${name}`,
    json,
    signal: cli.io.signal,
  });
  cli.out.result(partner, () =>
    cli.out.line(`${name} is told by ${partner.kind}: ${placeOf(partner)}`),
  );
}

async function remove(cli: Cli, name: string) {
  const api = await cli.connect('admin');
  await api.send({ method: 'DELETE', path: path`/api/partners/${name}`, signal: cli.io.signal });
  cli.out.result({ name, status: 'removed' }, () => cli.out.line(`${name} is removed.`));
}

async function deliveries(cli: Cli, run: number) {
  const api = await cli.connect('service');
  const page = await api.json<{ readonly items: readonly Delivery[]; readonly next: null }>({
    path: path`/api/runs/${run}/deliveries`,
    signal: cli.io.signal,
  });
  cli.out.result(page, () => {
    const rows = page.items.map(({ id, partner, kind, status, attempts, nextAttemptAt }) => [
      partner,
      kind,
      status,
      nextAttemptAt === null ? (attempts.at(-1)?.detail ?? '') : `again at ${nextAttemptAt}`,
      id,
    ]);
    writeTable(cli.out, ['PARTNER', 'OF', 'STATUS', '', 'DELIVERY'], rows, 'It has no partners.');
  });
}

async function redeliver(cli: Cli, id: string) {
  const api = await cli.connect('editor');
  const delivery = await api.json<Delivery>({
    method: 'POST',
    path: path`/api/deliveries/${id}/redeliver`,
    signal: cli.io.signal,
  });
  cli.out.result(delivery, () => cli.out.line(`${delivery.partner} is told again: ${id}`));
}
