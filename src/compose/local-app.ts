import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import type { RegisteredClient } from '../adapters/local/client-registry.ts';
import type { PrometheusMetrics } from '../adapters/local/prometheus-metrics.ts';
import type { SigningKeys } from '../adapters/local/signing-keys.ts';
import type { Deps } from '../core/deps.ts';
import { createApp } from '../http/app.ts';
import { changeRoutes } from '../http/handlers/change-handlers.ts';
import { graphRoutes } from '../http/handlers/graph-handlers.ts';
import { openRoutes } from '../http/handlers/open-handlers.ts';
import { queryRoutes } from '../http/handlers/query-handlers.ts';
import { reportRoutes } from '../http/handlers/report-handlers.ts';
import { rolloutRoutes } from '../http/handlers/rollout-handlers.ts';
import { ruleRoutes } from '../http/handlers/rule-handlers.ts';
import { streamRoutes } from '../http/handlers/stream-handlers.ts';
import { createIssuer } from '../http/issuer/create-issuer.ts';

interface LocalAppOptions {
  readonly url: string;
  readonly keys: SigningKeys;
  readonly clients: readonly RegisteredClient[];
  readonly stop: AbortSignal;
}

const streamLimits = { lifeMs: 3_600_000, heartbeatMs: 15_000 };

/** The whole API in one app, with the issuer and the metrics that only a local server has. */
export function localApp(
  deps: Deps & { readonly metrics: PrometheusMetrics },
  { url, keys, clients, stop }: LocalAppOptions,
): Hono {
  const app = createApp(deps, [
    ...ruleRoutes(deps),
    ...queryRoutes(deps),
    ...changeRoutes(deps),
    ...rolloutRoutes(deps),
    ...reportRoutes(deps),
    ...streamRoutes(deps, { ...streamLimits, stop }),
    ...graphRoutes(deps),
    ...openRoutes({ tokenUrl: `${url}/oauth2/token`, readAsset: readSwaggerAsset }),
  ]);
  const { clock, ids, metrics } = deps;
  app.route('/', createIssuer({ issuerUrl: url, keys, clients, clock, ids }));
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  return app;
}

async function readSwaggerAsset(name: string): Promise<Uint8Array> {
  return readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)));
}
