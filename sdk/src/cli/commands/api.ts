import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ApiRequest } from '../../api/api.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { readBytes } from '../json-argument.ts';

interface Options {
  readonly data?: string;
  readonly type: string;
  readonly header?: Readonly<Record<string, string>>;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;

export function addApi(program: Command, does: Does): void {
  const command = program
    .command('api')
    .summary('call anything of the API')
    .description(
      'Calls anything of the API, and writes the answer as it came. As admin where it may.',
    )
    .argument('<method>', methods.join(', '))
    .argument('<path>', 'with its query: /cases?near=38.5,-98.2')
    .option('--data <text>', 'the body; @FILE, or @- for standard input')
    .addOption(new Option('--type <type>', 'of the body').default('application/json'))
    .option('--header <header>', 'NAME: VALUE; may be given again', gatherHeader)
    .action(does(call));
  withExamples(
    command,
    "hms-svc api GET '/cases?near=38.5013,-98.2010&radius=500' --as service",
    'hms-svc api PUT /api/reference/hospitals --data @hospitals.geojson --type application/geo+json',
    'hms-svc api PUT /api/channels/prod --data \'{"staged": true, "quorum": 1}\'',
  );
}

function gatherHeader(text: string, before: Readonly<Record<string, string>> = {}) {
  const [, name, value] = /^([A-Za-z0-9-]+):\s*([\x20-\x7e]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('NAME: VALUE');
  return { ...before, [name.toLowerCase()]: value };
}

async function call(cli: Cli, method: string, path: string, { data, type, header }: Options) {
  const known = methods.find((one) => one === method.toUpperCase());
  if (known === undefined) throw new Failure(exitCodes.usage, `A method is ${methods.join(', ')}.`);
  if (!/^\/[\x21-\x7e]*$/.test(path)) {
    throw new Failure(exitCodes.usage, 'A path begins with / and is encoded: /api/policies');
  }
  const body = data === undefined ? undefined : await bodyOf(cli, data);
  const api = await cli.connect('admin');
  const request: ApiRequest = {
    method: known,
    path,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...header },
    signal: cli.io.signal,
    ...(body === undefined ? {} : { body }),
  };
  const { bytes, headers } = await api.send(request);
  const isJson = /\bjson\b/.test(headers.get('content-type') ?? '');
  if (isJson && cli.out.isLive) {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    cli.out.line(JSON.stringify(value, undefined, 2));
    return;
  }
  cli.io.stdout.write(bytes);
  if (isJson) cli.io.stdout.write('\n');
}

async function bodyOf(cli: Cli, data: string): Promise<Uint8Array | string> {
  return data.startsWith('@') ? readBytes(cli, data.slice(1)) : data;
}
