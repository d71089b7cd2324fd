import type { ServiceSpec } from '../../lib/service-spec.ts';
import { type Api, createApi } from '../../sdk/src/api/api.ts';
import { tokenSource } from '../../sdk/src/api/token-source.ts';
import { errorLines, reportOf } from '../../sdk/src/cli/error-text.ts';
import { Failure } from '../../sdk/src/cli/failure.ts';
import { readService, type ServiceSource } from '../../sdk/src/cli/services/read-service.ts';
import {
  addressOf,
  putService,
  removeService,
  takeSecret,
  untilGreen,
} from '../../sdk/src/cli/services/registration.ts';
import type { AwsPlace } from './aws-place.ts';
import { type ServiceCloud, serviceCloud } from './service-cloud.ts';

const patience = { maxMs: 60_000, pollMs: 1000 };
const defaultTimeoutMs = 15_000;

/**
 * Runs a service on AWS, in a stack of its own, and registers it with the HMS that is deployed
 * there; answers how to call it. Once more: changes it in place, and gives it a new secret.
 * Resolves when calls reach it. Errors: what to do; what was deployed stays, and lets nobody in whom
 * the gateway does not send.
 */
export async function deployOnAws(
  target: string,
  place: AwsPlace,
  cloud: ServiceCloud = serviceCloud(place.stage),
): Promise<string> {
  const service = await readService(target, process.cwd());
  const { name } = service;
  const { api, tenant } = await connect(place);
  // Before anything is made: whether there is an HMS that knows the client.
  await api.send({ path: '/services', query: { limit: 1 } });
  const { stack, url, secretArn } = await cloud.deploy(specOf(service, place, tenant));
  try {
    await putService(api, service, url);
    await cloud.putSecret(secretArn, {
      HMS_SERVICE_SECRET: await takeSecret(api, service),
      ...clientOf(place),
    });
    await untilGreen(api, service, url, patience);
  } catch (error) {
    throw halfDone(error, stack);
  }
  return `${name} is green: ${api.baseUrl}/svc/${name} leads to ${url}
Its stack: ${stack}

Try it, with a token of ${place.tokenUrl}:
  curl -sS ${addressOf(api, service)} -H "Authorization: Bearer $TOKEN"`;
}

/** Takes a service out of the registry, and its stack away; either may be gone already. */
export async function stopOnAws(
  target: string,
  place: AwsPlace,
  cloud: ServiceCloud = serviceCloud(place.stage),
): Promise<string> {
  const service = await readService(target, process.cwd());
  const { api, tenant } = await connect(place);
  // First, so that no call is sent to what is about to end.
  const wasRegistered = await removeService(api, service);
  await cloud.destroy(specOf(service, place, tenant));
  return `${service.name}: its stack is gone, and it is ${wasRegistered ? 'no longer' : 'not'} registered.`;
}

/** The deployed HMS, and whose services the client may change. */
async function connect({ url, tokenUrl, clientId, clientSecret }: AwsPlace) {
  const auth = { clientId, clientSecret, tokenUrl };
  const api: Api = createApi({ baseUrl: url, auth });
  return { api, tenant: tenantOf(await tokenSource(auth, fetch).token()) };
}

/** As its claims say; HMS itself verifies them. */
function tenantOf(token: string): string {
  const [, claims = ''] = token.split('.');
  const { tenant } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
    readonly tenant?: unknown;
  };
  if (typeof tenant !== 'string') throw new Error('The token names no tenant.');
  return tenant;
}

function halfDone(cause: unknown, stack: string): Failure {
  const report = reportOf(cause, undefined, 'deploy');
  const said = errorLines({ ...report, next: [] })
    .join('\n')
    .replace(/^Error: /, '');
  const next = [`The stack ${stack} is there: deploy again when that is put right, or --stop`];
  return new Failure(report.exitCode, said, [...report.next, ...next], { cause });
}

function specOf(
  { name, folder, manifest }: ServiceSource,
  { url, tokenUrl, alarmTopicArn }: AwsPlace,
  tenant: string,
): ServiceSpec {
  const { timeoutMs } = manifest;
  return {
    name,
    tenant,
    folder,
    // HMS refuses one that is none.
    timeoutMs: typeof timeoutMs === 'number' ? timeoutMs : defaultTimeoutMs,
    hmsUrl: url,
    tokenUrl,
    alarmTopicArn,
  };
}

function clientOf({ serviceClient }: AwsPlace): Record<string, string> {
  if (serviceClient === null) return {};
  const { clientId, clientSecret } = serviceClient;
  return { HMS_CLIENT_ID: clientId, HMS_CLIENT_SECRET: clientSecret };
}
