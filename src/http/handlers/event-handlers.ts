import { eventOperations } from '../../contract/operations/event-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { publishEvent } from '../../core/events/publish-event.ts';
import { rotateSecret } from '../../core/events/rotate-secret.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';

/** Events that callers publish. */
export function eventRoutes(
  deps: Pick<Deps, 'records' | 'ids' | 'lanes' | 'jobJournals'>,
): Route[] {
  return [
    route(eventOperations.publishEvent, async (call) => {
      const { type, data, subject = null, id = null } = call.body;
      const idempotencyKey = call.headers['idempotency-key'] ?? null;
      const asked = { type, data, subject, id, idempotencyKey };
      const done = await publishEvent(deps, originOf(call), asked);
      const told: Record<string, string> = {};
      if (done.status === 'known') told['idempotent-replayed'] = 'true';
      return jsonReply(202, { id: done.id, status: 'accepted' }, told);
    }),
  ];
}

/** The keys that events to services are signed with. */
export function serviceSecretRoutes(
  deps: Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'secrets'>,
): Route[] {
  return [
    route(eventOperations.rotateSecret, async (call) =>
      jsonReply(200, { secret: await rotateSecret(deps, originOf(call), call.params.name) }),
    ),
  ];
}
