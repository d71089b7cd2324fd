import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type LocalHms, localHms, requireDone, serviceClient } from './local-hms.ts';
import { readService, type ServiceSource } from './read-service.ts';
import { isRunning, logFile, logTail, startProcess, stopProcess } from './service-process.ts';

const startMs = 20_000;
const greenMs = 30_000;
const pollMs = 100;

/**
 * Runs a service on a free port of this machine and registers it with the local server, in place of
 * an earlier one of its name; answers how to call it. Resolves when calls reach it.
 * Errors: what to do; then it neither runs nor is registered.
 */
export async function deployService(target: string): Promise<string> {
  const service = await readService(target);
  const { name, firstRoute } = service;
  const hms = await localHms();
  const url = `http://127.0.0.1:${await freePort()}`;
  // First, since it costs nothing when it is refused, and what is not registered has no secret.
  await register(hms, service, url);
  try {
    const secret = service.subscribes ? await takeSecret(hms, name) : undefined;
    await stopProcess(name);
    await start(hms, service, url, secret);
    await untilGreen(hms, service, url);
  } catch (error) {
    await stopProcess(name);
    await hms.call('DELETE', `/services/${name}`);
    throw error;
  }
  const route = `${hms.url}/svc/${name}${firstRoute === '/' ? '' : firstRoute}`;
  return `${name} is green: ${hms.url}/svc/${name} leads to ${url}
Its log: ${relative('.', logFile(name))}

Try it:
  curl -sS ${route} -H "Authorization: Bearer $(npm run --silent token service)"`;
}

async function register(hms: LocalHms, service: ServiceSource, url: string): Promise<void> {
  const { name, manifest } = service;
  const answer = await hms.call('PUT', `/services/${name}`, { ...manifest, url });
  const errors = answer.body['errors'] as readonly { readonly pointer: string }[] | undefined;
  // Nothing else can be wrong with it: it is made here.
  if (errors?.some(({ pointer }) => pointer === '/url') === true) {
    throw new Error(
      `${hms.url} does not call services on this machine. Start it so that it may:\n` +
        '  HMS_ALLOW_PRIVATE_TARGETS=1 npm start',
    );
  }
  requireDone(answer, `The manifest of ${name}`);
}

/** A new one: what was signed with the one before is not taken any more. */
async function takeSecret(hms: LocalHms, name: string): Promise<string> {
  const answer = await hms.call('POST', `/services/${name}/secret`);
  requireDone(answer, `A secret for the events of ${name}`);
  return String(answer.body['secret']);
}

/** Resolves when its health page answers 2xx. */
async function start(
  hms: LocalHms,
  { name, folder, healthPath }: ServiceSource,
  url: string,
  secret: string | undefined,
): Promise<void> {
  const { clientId, clientSecret } = await serviceClient();
  const { HMS_WEBHOOK_SECRET: _, ...inherited } = process.env;
  const running = await startProcess(name, folder, {
    ...inherited,
    PORT: new URL(url).port,
    HMS_URL: hms.url,
    HMS_CLIENT_ID: clientId,
    HMS_CLIENT_SECRET: clientSecret,
    ...(secret === undefined ? {} : { HMS_WEBHOOK_SECRET: secret }),
  });
  for (const begin = performance.now(); performance.now() - begin < startMs;) {
    if (await isWell(url + healthPath)) return;
    if (!(await isRunning(running))) {
      throw new Error(`${name} ended by itself:\n${await logTail(name)}`);
    }
    await delay(pollMs);
  }
  throw new Error(`${name} has no ${healthPath} that answers 2xx:\n${await logTail(name)}`);
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

/** Registering it again has it probed at once; it takes `rise` of them, since it was not up before. */
async function untilGreen(hms: LocalHms, service: ServiceSource, url: string): Promise<void> {
  const { name } = service;
  let seen = 'unknown';
  for (const begin = performance.now(); performance.now() - begin < greenMs;) {
    await register(hms, service, url);
    const answer = await hms.call('GET', '/health');
    requireDone(answer, 'GET /health');
    const { services } = answer.body as {
      readonly services?: Record<string, { readonly status: string; readonly reason: string }>;
    };
    const health = services?.[name];
    if (health?.status === 'green') return;
    if (health !== undefined) seen = `${health.status}: ${health.reason}`;
    await delay(pollMs);
  }
  throw new Error(`${name} runs, and GET /health still says ${seen}.`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
