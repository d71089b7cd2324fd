import type { Command } from 'commander';
import { parse } from 'yaml';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { readBytes } from '../json-argument.ts';
import { limitOption } from '../options.ts';
import type { Output } from '../output.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { writeTable } from '../table.ts';

type Colour = 'green' | 'yellow' | 'red';

interface Service {
  readonly name: string;
  readonly manifest: { readonly url: string; readonly routes: readonly string[] };
  readonly health: {
    readonly status: Colour;
    readonly reason: string;
    readonly since: string;
    readonly targets: readonly {
      readonly url: string;
      readonly role: string;
      readonly up: boolean;
      readonly reason: string;
    }[];
  };
}

interface Health {
  readonly status: Colour;
  readonly services: Readonly<Record<string, { readonly status: Colour; readonly reason: string }>>;
  readonly parts: Readonly<Record<string, { readonly status: Colour; readonly reason: string }>>;
}

export function addServices(program: Command, does: Does): void {
  const services = program
    .command('services')
    .summary('the services that are registered, and how they are')
    .description('The services that are registered, and how they are.');
  const listing = services
    .command('list')
    .summary('list services')
    .description('Lists the services that are alive; with --all, the red ones too.')
    .option('--all', 'those that are red, too')
    .addOption(limitOption())
    .action(does(list));
  withExamples(listing, 'hms-svc services list --all');
  const getting = services
    .command('get')
    .summary('show a service')
    .description('Shows a service: its manifest, and how each of its targets is.')
    .argument('<name>', 'its name')
    .action(does(get));
  withExamples(getting, 'hms-svc services get voucher-eligibility --json');
  const registering = services
    .command('register')
    .summary('register a service')
    .description('Registers a service, or changes its manifest.')
    .argument('<file>', 'its manifest, YAML or JSON; - for standard input')
    .action(does(register));
  withExamples(registering, 'hms-svc services register voucher-eligibility.yaml');
  const removing = services
    .command('remove')
    .summary('take a service out of the registry')
    .description('Takes a service out of the registry: it gets no call any more.')
    .argument('<name>', 'its name')
    .action(does(remove));
  withExamples(removing, 'hms-svc services remove voucher-eligibility');
  const health = services
    .command('health')
    .summary('tell how every service is')
    .description('Tells how every service is, and what they rest on. Exits with 6 when it is red.')
    .action(does(showHealth));
  withExamples(health, 'hms-svc services health');
}

async function list(cli: Cli, options: { readonly all?: true; readonly limit: number }) {
  const { out, io } = cli;
  const query = { all: options.all === true };
  const api = await cli.connect('service');
  const page = await readPages<Service>(api, '/services', query, options.limit, io.signal);
  out.result(page, () => {
    const rows = page.items.map(({ name, manifest, health }) => [
      name,
      painted(out, health.status),
      manifest.url,
      health.reason,
    ]);
    const none = 'No service is alive: hms-svc services list --all, or register FILE';
    writeTable(out, ['SERVICE', 'HEALTH', 'URL', 'WHY'], rows, none);
  });
}

async function get(cli: Cli, name: string) {
  const api = await cli.connect('service');
  const service = await api.json<Service>({ path: path`/services/${name}`, signal: cli.io.signal });
  const { out } = cli;
  out.result(service, () => {
    const { health, manifest } = service;
    out.line(
      `${out.paint('bold', name)}  ${painted(out, health.status)} since ${health.since}: ${health.reason}`,
    );
    out.line(`Routes: ${manifest.routes.join(', ')}`);
    for (const { url, role, up, reason } of health.targets) {
      out.line(`• ${url} (${role}) ${up ? 'up' : 'down'}: ${reason}`);
    }
  });
}

async function register(cli: Cli, file: string) {
  const bytes = await readBytes(cli, file);
  const name = nameIn(bytes.toString('utf8'), file);
  const api = await cli.connect('editor');
  const stored = await api.json<Service & { readonly status: string }>({
    method: 'PUT',
    path: path`/services/${name}`,
    body: bytes,
    headers: { 'content-type': 'application/yaml' },
    signal: cli.io.signal,
  });
  cli.out.result(stored, () => {
    const { status, reason } = stored.health;
    cli.out.line(`${name} is ${stored.status}, and ${painted(cli.out, status)}: ${reason}`);
  });
}

function nameIn(text: string, file: string): string {
  let manifest: unknown;
  try {
    manifest = parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    const { message } = cause as Error;
    throw new Failure(exitCodes.usage, `${file} is no YAML: ${message}`, [], { cause });
  }
  const { name } = (manifest ?? {}) as { readonly name?: unknown };
  if (typeof name === 'string' && name !== '') return name;
  throw new Failure(exitCodes.usage, `${file} has no name.`);
}

async function remove(cli: Cli, name: string) {
  const api = await cli.connect('editor');
  await api.send({ method: 'DELETE', path: path`/services/${name}`, signal: cli.io.signal });
  cli.out.result({ name, status: 'removed' }, () => cli.out.line(`${name} is removed.`));
}

async function showHealth(cli: Cli) {
  const api = await cli.connect('service');
  const health = await api.json<Health>({ path: '/health', signal: cli.io.signal });
  const { out } = cli;
  out.result(health, () => {
    out.line(`${out.paint('bold', 'HEALTH')}  ${painted(out, health.status)}`);
    const all = [...Object.entries(health.services), ...Object.entries(health.parts)];
    for (const [name, { status, reason }] of all) {
      out.line(`• ${name} ${painted(out, status)}: ${reason}`);
    }
  });
  return health.status === 'red' ? exitCodes.endedBadly : exitCodes.done;
}

function painted(out: Output, colour: Colour): string {
  return out.paint(colour, colour);
}
