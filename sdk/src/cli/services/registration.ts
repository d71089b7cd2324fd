import type { Api } from '../../api/api.ts';
import { sleep } from '../../api/delays.ts';
import { ProblemError } from '../../api/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { path } from '../paths.ts';
import type { ServiceSource } from './read-service.ts';

/** Registers a service at a URL, or changes what is registered. Errors: as of `Api`. */
export async function putService(
  api: Api,
  { name, manifest }: ServiceSource,
  url: string,
): Promise<void> {
  await api.send({
    method: 'PUT',
    path: path`/services/${name}`,
    json: { ...manifest, url },
  });
}

/** What its calls and events are signed with: a new one. Errors: as of `Api`. */
export async function takeSecret(api: Api, { name }: ServiceSource): Promise<string> {
  const answer = await api.json<{ readonly secret: string }>({
    method: 'POST',
    path: path`/services/${name}/secret`,
    // Another one is as good.
    idempotent: true,
  });
  return answer.secret;
}

/** False: it was not there. Errors: as of `Api`. */
export async function removeService(api: Api, { name }: ServiceSource): Promise<boolean> {
  try {
    await api.send({ method: 'DELETE', path: path`/services/${name}` });
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return false;
    throw error;
  }
}

interface Patience {
  readonly maxMs: number;
  readonly pollMs: number;
  readonly signal?: AbortSignal;
}

interface Health {
  readonly services?: Readonly<
    Record<string, { readonly status: string; readonly reason: string } | undefined>
  >;
}

/**
 * Resolves when `GET /health` has a service green. Registering it again has it probed at once; it
 * takes `rise` of them, where it was down before. Errors: `Failure` with what is said of it instead; the reason of
 * the signal.
 */
export async function untilGreen(
  api: Api,
  service: ServiceSource,
  url: string,
  { maxMs, pollMs, signal }: Patience,
): Promise<void> {
  const { name } = service;
  let seen = 'unknown';
  for (const begin = performance.now(); performance.now() - begin < maxMs;) {
    await putService(api, service, url);
    const { services } = await api.json<Health>({ path: '/health' });
    const health = services?.[name];
    if (health?.status === 'green') return;
    if (health !== undefined) seen = `${health.status}: ${health.reason}`;
    await sleep(pollMs, signal);
  }
  throw new Failure(exitCodes.refused, `${name} runs, and GET /health still says ${seen}.`);
}

/** Where a service is called. */
export function addressOf({ baseUrl }: Api, { name, firstRoute }: ServiceSource): string {
  return `${baseUrl}/svc/${name}${firstRoute === '/' ? '' : firstRoute}`;
}
