import { serviceOperations } from '../../contract/operations/service-operations.ts';
import type { Deps } from '../../core/deps.ts';
import type { PartChecks } from '../../core/registry/check-parts.ts';
import { deregisterService } from '../../core/registry/deregister-service.ts';
import { listServices } from '../../core/registry/list-services.ts';
import type { ProbeDeps } from '../../core/registry/probe-service.ts';
import { readHealth } from '../../core/registry/read-health.ts';
import { readService } from '../../core/registry/read-service.ts';
import { registerService } from '../../core/registry/register-service.ts';
import { serviceNamePattern } from '../../core/registry/service-keys.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { readManifest } from '../manifest-body.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';
import { healthView, serviceView } from '../service-views.ts';

interface ServiceDeps extends ProbeDeps, Pick<Deps, 'secrets'> {
  /** Our own parts that `GET /health` tells of, by name. */
  readonly parts: PartChecks;
}

/** Which services there are, and how they and we are. */
export function serviceRoutes(deps: ServiceDeps): Route[] {
  return [
    route(serviceOperations.listServices, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, serviceNamePattern);
      const wanted = { all: query.all === 'true' };
      const page = await listServices(deps, principal.tenant, wanted, cursor, query.limit);
      return jsonReply(200, { items: page.items.map(serviceView), next: encodeCursor(page.next) });
    }),
    route(serviceOperations.getService, async ({ principal, params }) =>
      jsonReply(200, serviceView(await readService(deps, principal.tenant, params.name))),
    ),
    route(serviceOperations.putService, async (call) => {
      const { name } = call.params;
      const manifest = await readManifest(name, call.body);
      const { status, ...service } = await registerService(deps, originOf(call), manifest);
      return jsonReply(
        status === 'registered' ? 201 : 200,
        { ...serviceView(service), status },
        { location: `/services/${name}` },
      );
    }),
    route(serviceOperations.deleteService, async (call) => {
      await deregisterService(deps, originOf(call), call.params.name);
      return { status: 204, headers: { 'cache-control': 'no-store' }, body: null };
    }),
    route(serviceOperations.getHealth, async ({ principal }) =>
      jsonReply(200, healthView(await readHealth(deps, deps.parts, principal.tenant))),
    ),
  ];
}
