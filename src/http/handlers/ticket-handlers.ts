import { rolloutOperations } from '../../contract/operations/rollout-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { decideTicket, listTickets, readTicket } from '../../core/rollouts/tickets.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';
import { ticketView } from '../ticket-views.ts';

type TicketDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'workflows' | 'log'>;

const idShape = /^[A-Za-z0-9-]{1,64}$/;

/** What people are asked, and what they say. */
export function ticketRoutes(deps: TicketDeps): Route[] {
  return [
    route(rolloutOperations.listTickets, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, idShape);
      const page = await listTickets(deps, principal.tenant, cursor, query.limit);
      return jsonReply(200, { items: page.items.map(ticketView), next: encodeCursor(page.next) });
    }),
    route(rolloutOperations.getTicket, async ({ principal, params }) =>
      jsonReply(200, ticketView(await readTicket(deps, principal.tenant, params.ticket))),
    ),
    route(rolloutOperations.decideTicket, async (call) => {
      const { decision, reason = null } = call.body;
      const answer = { decision, reason };
      const ticket = await decideTicket(deps, originOf(call), call.params.ticket, answer);
      return jsonReply(200, ticketView(ticket));
    }),
  ];
}
