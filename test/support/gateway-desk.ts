import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import {
  type HttpServiceCaller,
  httpServiceCaller,
} from '../../src/adapters/runtime/http-service-caller.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { Unauthenticated } from '../../src/core/errors/app-error.ts';
import type { Principal } from '../../src/core/identity/principal.ts';
import { serviceGateway } from '../../src/core/gateway/service-gateway.ts';
import { judgeService } from '../../src/core/registry/judge-health.ts';
import { healthKey, serviceKey } from '../../src/core/registry/service-keys.ts';
import { type ServiceManifest, targetsOf } from '../../src/core/registry/service-record.ts';
import { answerBrokenRequests } from '../../src/http/answer-broken-requests.ts';
import { createApp } from '../../src/http/app.ts';
import { gatewayRoutes } from '../../src/http/handlers/gateway-handlers.ts';
import { nodeListener } from '../../src/http/node-listener.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RateLimiter } from '../../src/ports/rate-limiter.ts';
import type { RecordKey } from '../../src/ports/record-store.ts';
import type { SecretStore } from '../../src/ports/secret-store.ts';
import { type CoreDeps, coreDeps } from './core-deps.ts';
import { memorySecrets } from './memory-secrets.ts';

/** The tokens that the desk takes, and whom they stand for. */
const callers: Readonly<Record<string, Pick<Principal, 'tenant' | 'scopes'>>> = {
  service: { tenant: 'demo', scopes: new Set(['call:service']) },
  reader: { tenant: 'demo', scopes: new Set(['read:policy']) },
  stranger: { tenant: 'other', scopes: new Set(['admin']) },
};

/** A gateway that listens on loopback, over records in memory, and calls what it is told of. */
export interface GatewayDesk extends AsyncDisposable {
  readonly baseUrl: string;
  readonly deps: CoreDeps;
  readonly secrets: SecretStore;
  /** Registers a service, or changes it; of its targets, those of `down` are not up. */
  register(
    manifest: Partial<ServiceManifest>,
    down?: readonly string[],
    secretId?: string,
  ): Promise<void>;
  /** Calls it as `service`, unless another token is given. */
  call(path: string, init?: RequestInit): Promise<Response>;
}

interface DeskOptions {
  readonly allowPrivate?: boolean;
  readonly clock?: Clock;
  /** Whether tokens are in memory: calls then go past the app. */
  readonly isFast?: boolean;
  readonly limiter?: RateLimiter;
  readonly secrets?: SecretStore;
}

export function someManifest(given: Partial<ServiceManifest>): ServiceManifest {
  return {
    name: 'check',
    url: 'http://127.0.0.1:9',
    replicas: [],
    secondaryUrl: null,
    routes: ['/'],
    events: { publishes: [], subscribes: [] },
    health: { path: '/health', intervalS: 15, timeoutMs: 1000, rise: 2, fall: 3 },
    timeoutMs: 5000,
    ...given,
  };
}

export async function startGatewayDesk(
  given: Partial<CoreDeps> = {},
  {
    allowPrivate = true,
    clock = systemClock,
    isFast = true,
    secrets = memorySecrets(),
    ...limits
  }: DeskOptions = {},
): Promise<GatewayDesk> {
  const deps: CoreDeps = coreDeps(given);
  const caller: HttpServiceCaller = httpServiceCaller({ networks: { allowPrivate } });
  const gateway = serviceGateway({ ...deps, clock, caller, secrets });
  const verifier = {
    verify: async (token: string) => principalOf(token),
    // What is in memory goes past the app.
    peek: (token: string) => (isFast && token in callers ? principalOf(token) : undefined),
  };
  const app = createApp({ ...deps, ...limits, verifier }, gatewayRoutes({ gateway }));
  const peeking = Object.assign(deps.records, { peek: () => undefined });
  const listener = nodeListener({ ...deps, ...limits, records: peeking, verifier, gateway }, app);
  const server = createServer(listener);
  answerBrokenRequests(server, deps);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    baseUrl,
    deps,
    secrets,
    register: (manifest, down = [], secretId) =>
      register(deps, someManifest(manifest), down, 'demo', secretId),
    call: (path, { headers, ...init } = {}) =>
      fetch(`${baseUrl}${path}`, {
        redirect: 'manual',
        ...init,
        headers: { authorization: 'Bearer service', ...(headers as Record<string, string>) },
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      caller.close();
    },
  };
}

function principalOf(token: string): Principal {
  const found = Object.hasOwn(callers, token) ? callers[token] : undefined;
  if (found === undefined) throw new Unauthenticated('Who is that?');
  return {
    ...found,
    actor: token,
    subject: `${token} of law`,
    region: undefined,
    expiresAtMs: Infinity,
  };
}

/** Makes the records of a service, with health as probes would have found it. */
export async function register(
  deps: Pick<CoreDeps, 'records' | 'ids' | 'clock'>,
  manifest: ServiceManifest,
  down: readonly string[],
  tenant = 'demo',
  secretId?: string,
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const probes = new Map(
    targetsOf(manifest).map(({ url }) => {
      const ok = !down.includes(url);
      const detail = ok ? 'answered 200' : 'no connection (ECONNREFUSED)';
      return [url, { ok, detail, tookMs: 1, atMs: nowMs }] as const;
    }),
  );
  const at = new Date(nowMs).toISOString();
  const record = {
    manifest,
    registeredAt: at,
    changedAt: at,
    changedBy: 'editor',
    ...(secretId === undefined ? {} : { secretId }),
  };
  await put(deps, serviceKey(tenant, manifest.name), record);
  const health = judgeService(manifest, undefined, probes, nowMs);
  await put(deps, healthKey(tenant, manifest.name), health);
}

async function put(
  deps: Pick<CoreDeps, 'records' | 'ids'>,
  key: RecordKey,
  value: unknown,
): Promise<void> {
  const held = await deps.records.get(key);
  const write = { kind: 'put', key, value, expect: held?.rev ?? 'absent' } as const;
  expect(await deps.records.commit([write], deps.ids.next())).toBe('committed');
}
