import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Api } from '../../api/api.ts';
import { sleep } from '../../api/delays.ts';
import { ProblemError } from '../../api/errors.ts';
import type { Cli } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { dataFolder, isLoopback, type LocalClient, readLocalClients } from '../local-server.ts';
import { readService, type ServiceSource } from './read-service.ts';
import { addressOf, putService, removeService, takeSecret, untilGreen } from './registration.ts';
import { isRunning, ServiceProcess } from './service-process.ts';

/** A service that runs, and how it is reached. */
export interface DeployedService {
  readonly name: string;
  readonly status: 'green';
  /** Where it listens. */
  readonly url: string;
  /** Where the gateway has it, with its first route. */
  readonly address: string;
  readonly log: string;
}

const startMs = 20_000;
const pollMs = 100;
const patience = { maxMs: 30_000, pollMs };

/**
 * Runs a service on a free port of this machine and registers it with the server of this machine, in
 * place of an earlier one of its name. Resolves when calls reach it.
 * Errors: `Failure` that says what to do; then it neither runs nor is registered.
 */
export async function deployService(cli: Cli, target: string): Promise<DeployedService> {
  const service = await readService(target, cli.io.cwd);
  const { name } = service;
  const { signal } = cli.io;
  const api = await localApi(cli);
  const client = await serviceClient(cli);
  const url = `http://127.0.0.1:${await freePort()}`;
  // First, since it costs nothing when it is refused, and what is not registered has no secret.
  await register(api, service, url);
  const running = new ServiceProcess(dataFolder(cli.io), name);
  try {
    const secret = await takeSecret(api, service);
    await running.stop();
    const env = environmentOf(cli, api, client, url, secret);
    await start(running, service, url, { env, signal });
    await untilGreen(api, service, url, { ...patience, signal });
  } catch (error) {
    await running.stop();
    await removeService(api, service);
    throw error;
  }
  return { name, status: 'green', url, address: addressOf(api, service), log: running.logFile };
}

/** The server of this machine, as an editor. Errors: `Failure` for one elsewhere. */
export async function localApi(cli: Cli): Promise<Api> {
  const api = await cli.connect('editor');
  if (isLoopback(api.baseUrl)) return api;
  throw new Failure(
    exitCodes.usage,
    `${api.baseUrl} does not run on this machine, and cannot call what does.`,
    [
      'Run it on AWS: hms-svc deploy NAME --aws',
      'Or where you like: hms-svc services register FILE',
    ],
  );
}

async function register(api: Api, service: ServiceSource, url: string): Promise<void> {
  try {
    await putService(api, service, url);
  } catch (error) {
    const places = error instanceof ProblemError ? error.errors : [];
    // Nothing else can be wrong with it: it is made here.
    if (!places.some(({ pointer }) => pointer === '/url')) throw error;
    throw new Failure(
      exitCodes.refused,
      `${api.baseUrl} does not call services on this machine.`,
      ['Start it so that it may: HMS_ALLOW_PRIVATE_TARGETS=1 npm start'],
      { cause: error },
    );
  }
}

/** What a service of the editor's tenant takes its tokens with. */
async function serviceClient({ io }: Cli): Promise<LocalClient> {
  const clients = await readLocalClients(io);
  const tenant = clients.find(({ name }) => name === 'editor')?.tenant;
  const client = clients.find((one) => one.name === 'service' && one.tenant === tenant);
  if (client !== undefined) return client;
  throw new Failure(exitCodes.usage, `clients.json has no service of ${tenant}.`);
}

function environmentOf(
  { io }: Cli,
  { baseUrl }: Api,
  client: LocalClient,
  url: string,
  secret: string,
): NodeJS.ProcessEnv {
  return {
    ...io.env,
    PORT: new URL(url).port,
    HMS_URL: baseUrl,
    HMS_TOKEN_URL: `${baseUrl}/oauth2/token`,
    HMS_CLIENT_ID: client.client_id,
    HMS_CLIENT_SECRET: client.client_secret,
    HMS_SERVICE_SECRET: secret,
  };
}

/** Resolves when its health page answers 2xx. */
async function start(
  process: ServiceProcess,
  { name, folder, healthPath }: ServiceSource,
  url: string,
  { env, signal }: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<void> {
  const running = await process.start(folder, env);
  for (const begin = performance.now(); performance.now() - begin < startMs;) {
    if (await isWell(url + healthPath)) return;
    if (!(await isRunning(running))) throw await failed(process, `${name} ended by itself`);
    await sleep(pollMs, signal);
  }
  throw await failed(process, `${name} has no ${healthPath} that answers 2xx`);
}

async function failed(process: ServiceProcess, what: string): Promise<Failure> {
  return new Failure(exitCodes.refused, `${what}:\n${(await process.logTail()).trimEnd()}`);
}

async function isWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
