import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import type { RegisteredClient } from '../adapters/local/client-registry.ts';
import type { PrometheusMetrics } from '../adapters/local/prometheus-metrics.ts';
import type { SigningKeys } from '../adapters/local/signing-keys.ts';
import type { SignedUploadGate } from '../adapters/local/signed-upload-gate.ts';
import type { Deps } from '../core/deps.ts';
import type { ServiceGateway } from '../core/gateway/service-gateway.ts';
import { blobsPart, jobsPart, recordsPart, relayPart } from '../core/registry/own-parts.ts';
import { createApp } from '../http/app.ts';
import { caseRoutes } from '../http/handlers/case-handlers.ts';
import { changeRoutes } from '../http/handlers/change-handlers.ts';
import { claimRoutes } from '../http/handlers/claim-handlers.ts';
import { eventRoutes, serviceSecretRoutes } from '../http/handlers/event-handlers.ts';
import { gatewayRoutes } from '../http/handlers/gateway-handlers.ts';
import { graphRoutes } from '../http/handlers/graph-handlers.ts';
import { jobRoutes } from '../http/handlers/job-handlers.ts';
import { namedRuleRoutes } from '../http/handlers/named-rule-handlers.ts';
import { openRoutes } from '../http/handlers/open-handlers.ts';
import { queryRoutes } from '../http/handlers/query-handlers.ts';
import { referenceRoutes } from '../http/handlers/reference-handlers.ts';
import { reportRoutes } from '../http/handlers/report-handlers.ts';
import { rolloutRoutes } from '../http/handlers/rollout-handlers.ts';
import { ruleRoutes } from '../http/handlers/rule-handlers.ts';
import { serviceRoutes } from '../http/handlers/service-handlers.ts';
import { streamRoutes } from '../http/handlers/stream-handlers.ts';
import { streamTicketRoutes } from '../http/handlers/stream-ticket-handlers.ts';
import { workerRoutes } from '../http/handlers/worker-handlers.ts';
import { createIssuer } from '../http/issuer/create-issuer.ts';
import type { ManifestReplies } from '../http/manifest-replies.ts';
import { createUploadApp } from '../http/upload-route.ts';
import { socketPath } from '../http/websocket/socket-server.ts';
import type { LocalJobs } from './local-jobs.ts';

interface LocalAppOptions {
  readonly url: string;
  readonly keys: SigningKeys;
  readonly clients: readonly RegisteredClient[];
  readonly stop: AbortSignal;
}

const streamLimits = { lifeMs: 3_600_000, heartbeatMs: 15_000 };

interface LocalAppDeps extends Deps, LocalJobs {
  readonly metrics: PrometheusMetrics;
  readonly uploads: SignedUploadGate;
  readonly gateway: ServiceGateway;
  readonly manifests: ManifestReplies;
}

/** The whole API in one app, with what only a local server has: issuer, uploads and metrics. */
export function localApp(deps: LocalAppDeps, { url, keys, clients, stop }: LocalAppOptions): Hono {
  const app = createApp(deps, [
    ...ruleRoutes(deps),
    ...queryRoutes(deps),
    ...changeRoutes(deps),
    ...rolloutRoutes(deps),
    ...reportRoutes(deps),
    ...jobRoutes(deps),
    ...workerRoutes({ ...deps, stop }),
    ...caseRoutes(deps),
    ...referenceRoutes(deps),
    ...claimRoutes(deps),
    ...namedRuleRoutes(deps),
    ...serviceRoutes({ ...deps, parts: localParts(deps) }),
    ...serviceSecretRoutes(deps),
    ...gatewayRoutes(deps),
    ...eventRoutes(deps),
    ...streamRoutes(deps, { ...streamLimits, stop }),
    ...streamTicketRoutes({ ...deps, socketUrl: url.replace(/^http/, 'ws') + socketPath }),
    ...graphRoutes(deps),
    ...openRoutes({ tokenUrl: `${url}/oauth2/token`, readAsset: readSwaggerAsset }),
  ]);
  const { clock, ids, metrics } = deps;
  app.route('/', createIssuer({ issuerUrl: url, keys, clients, clock, ids }));
  app.route('/', createUploadApp({ ...deps, wishOf: deps.uploads.wishOf }));
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  return app;
}

/** What `GET /health` tells of this server itself. */
function localParts(deps: LocalAppDeps) {
  return {
    records: recordsPart(deps),
    blobs: blobsPart(deps),
    relay: relayPart(deps),
    jobs: jobsPart(deps, [...deps.workers.keys()]),
  };
}

async function readSwaggerAsset(name: string): Promise<Uint8Array> {
  return readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)));
}
