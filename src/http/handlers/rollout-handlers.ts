import type * as z from 'zod';
import { rolloutOperations } from '../../contract/operations/rollout-operations.ts';
import type { newRun } from '../../contract/run-schemas.ts';
import type { Deps } from '../../core/deps.ts';
import { Forbidden } from '../../core/errors/app-error.ts';
import { permits } from '../../core/identity/scopes.ts';
import { abortRun } from '../../core/rollouts/abort-run.ts';
import { createRun, type RunRequest } from '../../core/rollouts/create-run.ts';
import { listRuns } from '../../core/rollouts/list-runs.ts';
import { requireRun } from '../../core/rollouts/read-situation.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';
import { queuedReply, runSummaryView, runView } from '../run-views.ts';
import { channelRoutes } from './channel-handlers.ts';
import { partnerRoutes } from './partner-handlers.ts';
import { suiteRoutes } from './suite-handlers.ts';
import { ticketRoutes } from './ticket-handlers.ts';

type RolloutDeps = Pick<
  Deps,
  'records' | 'blobs' | 'clock' | 'ids' | 'signal' | 'workflows' | 'secrets' | 'log'
>;

const runShape = /^[1-9]\d{0,11}$/;

/** Everything about rollouts but what services report, and the stream. */
export function rolloutRoutes(deps: RolloutDeps): Route[] {
  return [
    create(deps),
    ...readRuns(deps),
    abort(deps),
    ...channelRoutes(deps),
    ...ticketRoutes(deps),
    ...suiteRoutes(deps),
    ...partnerRoutes(deps),
  ];
}

function create(deps: RolloutDeps): Route {
  return route(rolloutOperations.createRun, async (call) => {
    const { body, principal } = call;
    if (body.hotfix && !permits(principal.scopes, 'approve:policy')) {
      throw new Forbidden('A hotfix needs the scope hms/approve:policy as well.');
    }
    return queuedReply(await createRun(deps, originOf(call), requestOf(body)));
  });
}

function requestOf(body: z.output<typeof newRun>): RunRequest {
  const { policies, channel, canary, partners, approval, hotfix, reason = null } = body;
  const approvals = Number(approval);
  return { policies, channel, canary, partners, approvals, hotfix, reason };
}

function readRuns(deps: RolloutDeps): Route[] {
  return [
    route(rolloutOperations.listRuns, async ({ principal, query }) => {
      const position = decodeCursor(query.cursor, runShape);
      const cursor = position === undefined ? undefined : Number(position);
      const page = await listRuns(deps, principal.tenant, cursor, query.limit);
      const next = encodeCursor(page.next === null ? null : String(page.next));
      return jsonReply(200, { items: page.items.map(runSummaryView), next });
    }),
    route(rolloutOperations.getRun, async ({ principal, params }) => {
      const { value } = await requireRun(deps, { tenant: principal.tenant, run: params.run });
      return jsonReply(200, runView(value));
    }),
  ];
}

function abort(deps: RolloutDeps): Route {
  return route(rolloutOperations.abortRun, async (call) => {
    const ref = { tenant: call.principal.tenant, run: call.params.run };
    const ended = await abortRun(deps, originOf(call), ref, call.body?.reason ?? null);
    return jsonReply(200, runView(ended));
  });
}
