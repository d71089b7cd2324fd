import { rolloutOperations } from '../../contract/operations/rollout-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { digestName } from '../../core/packages/digest.ts';
import { listSuites } from '../../core/rollouts/simulation/list-suites.ts';
import type { RegisteredSuite } from '../../core/rollouts/simulation/suite-keys.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';

type SuiteDeps = Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>;

const nameShape = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Brings the expression language along, which nothing else here needs: loaded by who needs it. */
function loadSuites() {
  return import('../../core/rollouts/simulation/registered-suites.ts');
}

/** The scenarios that runs are simulated with, beside those in the packages. */
export function suiteRoutes(deps: SuiteDeps): Route[] {
  return [
    route(rolloutOperations.putSuite, async (call) => {
      const { params, headers, body } = call;
      const form = body.contentType === 'application/json' ? 'json' : 'yaml';
      const upload = { form, bytes: body.bytes } as const;
      const reason = headers['x-reason'] ?? null;
      const { putSuite } = await loadSuites();
      const { status, suite } = await putSuite(deps, originOf(call), params.suite, upload, reason);
      return jsonReply(
        status === 'stored' ? 201 : 200,
        { ...suiteView(suite), status },
        { location: `/api/simulations/${params.suite}` },
      );
    }),
    route(rolloutOperations.getSuite, async ({ principal, params }) => {
      const { getSuite } = await loadSuites();
      const { document } = await getSuite(deps, principal.tenant, params.suite);
      return jsonReply(200, document);
    }),
    route(rolloutOperations.listSuites, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, nameShape);
      const page = await listSuites(deps, principal.tenant, cursor, query.limit);
      return jsonReply(200, { items: page.items.map(suiteView), next: encodeCursor(page.next) });
    }),
  ];
}

function suiteView(suite: RegisteredSuite) {
  return { ...suite, digest: digestName(suite.digest) };
}
