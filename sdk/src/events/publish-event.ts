import type { CallOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import type { AcceptedEvent, NewEvent } from '../wire/event.ts';

export interface PublishEventOptions extends NewEvent, CallOptions {}

/**
 * Publishes an event: every service that subscribes to its type gets it, at least once. It is stored
 * when this resolves. Without an `id` it is given one, so that a call whose answer was lost can be
 * repeated here. Answers its id. Errors: `ProblemError`, `NoAnswerError`.
 */
export async function publishEvent(options: PublishEventOptions): Promise<string> {
  const { connection, signal, ...event } = options;
  const { id } = await connect(connection).json<AcceptedEvent>({
    method: 'POST',
    path: '/events',
    json: { ...event, id: event.id ?? crypto.randomUUID() },
    idempotent: true,
    signal,
  });
  return id;
}
