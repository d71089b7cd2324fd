import { feedOperations } from '../../contract/operations/feed-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { issueTicket } from '../../core/push/tickets.ts';
import { jsonReply } from '../reply.ts';
import { type Route, route } from '../route.ts';

export interface StreamTicketDeps extends Pick<Deps, 'records' | 'clock' | 'ids'> {
  /** Where WebSockets are opened: `wss://…`, without a query. */
  readonly socketUrl: string;
}

/** Tickets, by which a WebSocket is opened. */
export function streamTicketRoutes(deps: StreamTicketDeps): Route[] {
  return [
    route(feedOperations.createTicket, async ({ principal }) => {
      const { ticket, expiresAtMs } = await issueTicket(deps, principal);
      return jsonReply(201, {
        ticket,
        url: `${deps.socketUrl}?ticket=${ticket}`,
        expiresAt: new Date(expiresAtMs).toISOString(),
      });
    }),
  ];
}
