import type { Command } from 'commander';
import { createApi } from '../../api/api.ts';
import { tokenSource } from '../../api/token-source.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import {
  profilesFile,
  type Profile,
  readProfiles,
  requireProfile,
  requireProfileName,
  writeProfiles,
} from '../profiles.ts';
import { askFor, readSecret } from '../read-input.ts';
import { requireUrl } from '../session.ts';
import { writeTable } from '../table.ts';

interface Options {
  readonly url?: string;
  readonly clientId?: string;
  readonly tokenUrl?: string;
}

export function addLogin(program: Command, does: Does): void {
  const command = program
    .command('login')
    .summary('keep the credentials of an installation, as a profile')
    .description(
      'Tries the credentials of a client, and keeps them as a profile, for this user alone. The secret\n' +
        'is asked for, or comes on standard input. Without --profile it is the profile "default".',
    )
    .option('--url <url>', 'of the service')
    .option('--client-id <id>', 'of the client')
    .option('--token-url <url>', 'where it gets tokens; as the service says unless given')
    .action(
      does(async (cli, options: Options) => {
        const { profile = 'default' } = program.opts<{ readonly profile?: string }>();
        await login(cli, profile, options);
      }),
    );
  withExamples(
    command,
    'hms-svc login --url https://hms.agency.example --client-id 3f1d9aa --profile prod',
    'hms-svc login --url https://hms.agency.example --client-id 3f1d9aa < secret.txt',
  );
}

async function login({ io, out }: Cli, name: string, options: Options): Promise<void> {
  requireProfileName(name);
  const url = requireUrl(
    options.url ?? (await askFor(io, 'URL of the service: ', 'Name the service: --url https://…')),
    '--url',
  );
  const clientId =
    options.clientId ?? (await askFor(io, 'Client id: ', 'Name the client: --client-id ID'));
  const tokenUrl = requireUrl(
    options.tokenUrl ?? (await tokenUrlOf(url, io.signal)),
    '--token-url',
  );
  const clientSecret = await readSecret(io, `Secret of ${clientId} (not shown): `);
  const made: Profile = { url, tokenUrl, clientId, clientSecret };
  // Errors: what the issuer says.
  await tokenSource(made, fetch).token();
  const { profiles } = await readProfiles(io);
  await writeProfiles(io, { current: name, profiles: { ...profiles, [name]: made } });
  out.result({ profile: name, url, tokenUrl, clientId }, () => {
    out.line(`${clientId} is logged in to ${url}, as the profile ${name}.`);
    out.line(`Kept in ${profilesFile(io)}`);
  });
}

/** As the service describes itself. */
async function tokenUrlOf(url: string, signal: AbortSignal): Promise<string> {
  const document = await createApi({ baseUrl: url }).json<OpenApi>({
    path: '/openapi.json',
    signal,
  });
  const tokenUrl = document.components?.securitySchemes?.oauth2?.flows?.clientCredentials?.tokenUrl;
  if (typeof tokenUrl === 'string') return tokenUrl;
  throw new Failure(exitCodes.usage, `${url} does not say where clients get tokens.`, [
    'Name it: --token-url https://…/oauth2/token',
  ]);
}

interface OpenApi {
  readonly components?: {
    readonly securitySchemes?: {
      readonly oauth2?: {
        readonly flows?: { readonly clientCredentials?: { readonly tokenUrl?: unknown } };
      };
    };
  };
}

export function addLogout(program: Command, does: Does): void {
  const command = program
    .command('logout')
    .summary('forget a profile')
    .description('Forgets a profile and its secret: the one of --profile, else the current one.')
    .action(
      does(async (cli) => {
        const { profile } = program.opts<{ readonly profile?: string }>();
        await logout(cli, profile);
      }),
    );
  withExamples(command, 'hms-svc logout --profile prod');
}

async function logout({ io, out }: Cli, given: string | undefined): Promise<void> {
  const { current, profiles } = await readProfiles(io);
  const name = given ?? current;
  if (name === null) throw new Failure(exitCodes.usage, 'Nobody is logged in.');
  await requireProfile(io, name);
  const { [name]: _, ...rest } = profiles;
  await writeProfiles(io, { current: current === name ? null : current, profiles: rest });
  out.result({ profile: name, status: 'forgotten' }, () =>
    out.line(`The profile ${name} is forgotten.`),
  );
}

export function addProfiles(program: Command, does: Does): void {
  const command = program
    .command('profiles')
    .summary('list profiles, or choose the one that counts')
    .description('Lists the profiles; with a name, makes that one the current one.')
    .argument('[name]', 'the profile that counts from now on')
    .action(does(listProfiles));
  withExamples(command, 'hms-svc profiles', 'hms-svc profiles prod');
}

async function listProfiles({ io, out }: Cli, chosen: string | undefined): Promise<void> {
  if (chosen !== undefined) {
    await requireProfile(io, chosen);
    const { profiles } = await readProfiles(io);
    await writeProfiles(io, { current: chosen, profiles });
  }
  const { current, profiles } = await readProfiles(io);
  const items = Object.entries(profiles).map(([name, { url, clientId }]) => ({
    name,
    url,
    clientId,
    current: name === current,
  }));
  out.result({ items }, () => {
    const rows = items.map((one) => [one.current ? '*' : '', one.name, one.url, one.clientId]);
    writeTable(
      out,
      ['', 'PROFILE', 'URL', 'CLIENT'],
      rows,
      'There is no profile yet: hms-svc login',
    );
  });
}
