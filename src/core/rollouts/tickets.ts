import type { Deps } from '../deps.ts';
import { Conflict, Forbidden, InvalidRequest, NotFound } from '../errors/app-error.ts';
import { commit } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { Page } from '../policies/list-policies.ts';
import { getRecord, queryRecords } from '../records.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from './change-run.ts';
import { endStep } from './end-run.ts';
import { lostLane } from './lane-moves.ts';
import { makeWayForWaiters } from './make-way.ts';
import { readSituation, type Situation } from './read-situation.ts';
import { forwardAfterApproval } from './forward.ts';
import { signalRun } from './signal-run.ts';
import { withStages } from './stages.ts';
import { ticketKey, ticketSort, ticketsPartition } from './run-keys.ts';
import type { RunRecord } from './run-record.ts';
import type { Ticket, TicketBinding, TicketDecision } from './ticket.ts';

type TicketDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;

/** A ticket as it is answered: one whose time is over counts as expired before anybody notes it. */
export function ticketAt(ticket: Ticket, nowMs: number): Ticket {
  const over = ticket.status === 'open' && Date.parse(ticket.expiresAt) <= nowMs;
  return over ? { ...ticket, status: 'expired', closedAt: ticket.expiresAt } : ticket;
}

export async function readTicket(
  deps: Pick<Deps, 'records' | 'clock'>,
  tenant: string,
  id: string,
): Promise<Ticket> {
  const found = await getRecord(deps, ticketKey(tenant, id));
  if (found === undefined) throw new NotFound(`There is no ticket "${id}".`);
  return ticketAt(found.value, deps.clock.nowMs());
}

/** Newest first, before `cursor` (an id). */
export async function listTickets(
  deps: Pick<Deps, 'records' | 'clock'>,
  tenant: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<Ticket>> {
  const found = await queryRecords<Ticket>(deps, {
    partition: ticketsPartition(tenant),
    after: cursor === undefined ? undefined : ticketSort(cursor),
    order: 'desc',
    limit,
  });
  const items = found.map(({ value }) => ticketAt(value, deps.clock.nowMs()));
  return { items, next: items.length < limit ? null : (items.at(-1)?.id ?? null) };
}

/** What the run would do, and to what: any change of it makes an approval void. */
export function bindingOf({ policies, simulation }: RunRecord): TicketBinding {
  return {
    policies: policies.map(({ id, digest, base }) => ({
      id,
      digest,
      gen: base?.gen ?? 0,
      replaces: base?.rule?.digest ?? null,
    })),
    report: simulation?.report ?? null,
  };
}

function sameBinding(a: TicketBinding, b: TicketBinding): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export interface Answer {
  readonly decision: TicketDecision['decision'];
  readonly reason: string | null;
}

/**
 * What one person says to a ticket. The same again by the same person changes nothing.
 * Errors: `NotFound`, `Forbidden` for an author, `Conflict` for a ticket that is closed or void,
 * `InvalidRequest` for a choice that it does not give.
 */
export async function decideTicket(
  deps: TicketDeps,
  origin: Origin,
  id: string,
  answer: Answer,
): Promise<Ticket> {
  const { tenant, actor } = origin;
  const ticket = await readTicket(deps, tenant, id);
  requireChoice(ticket, answer);
  if (answer.decision === 'close') return close(deps, origin, id, answer);
  if (ticket.authors.includes(actor)) {
    throw new Forbidden('Who wrote the rule or started the run cannot decide on it.');
  }
  const ref = { tenant, run: ticket.run };
  const decided = await changeRun(deps, origin, ref, (now) => decide(deps, now, id, actor, answer));
  await settle(deps, tenant, ticket.run);
  return decided;
}

function requireChoice({ choices }: Ticket, { decision }: Answer): void {
  if (choices.includes(decision)) return;
  const detail = `choose ${choices.join(' or ')}`;
  throw new InvalidRequest('The ticket does not ask that.', [{ pointer: '/decision', detail }]);
}

/** Lets the process go on, and those who waited for the lanes. */
async function settle(deps: TicketDeps, tenant: string, run: number): Promise<void> {
  const ref = { tenant, run };
  const { stored } = await readSituation(deps, ref);
  await signalRun(deps, ref, stored.value);
  if (stored.value.endedAt !== null) await makeWayForWaiters(deps, tenant, stored.value);
}

async function decide(
  deps: TicketDeps,
  now: Situation,
  id: string,
  actor: string,
  { decision, reason }: Answer,
): Promise<RunStep<Ticket> | { readonly result: Ticket }> {
  const ticket = await readTicket(deps, now.ref.tenant, id);
  const said = ticket.decisions.find(({ by }) => by === actor);
  if (said?.decision === decision) return { result: ticket };
  const run = now.stored.value;
  if (ticket.status !== 'open' || run.ticket !== id || run.status !== 'approving') {
    const state = ticket.status === 'open' ? 'void' : ticket.status;
    throw new Conflict(`The ticket is ${state}; run ${run.run} is ${run.status}.`);
  }
  const at = new Date(deps.clock.nowMs()).toISOString();
  const others = ticket.decisions.filter(({ by }) => by !== actor);
  const decisions = [...others, { by: actor, decision, reason, at }];
  const void_ = lostLane(now) !== undefined || !sameBinding(ticket.binding, bindingOf(run));
  if (void_) {
    const outcome = 'What was to be approved has changed meanwhile: start a new run.';
    const voided: Ticket = { ...ticket, status: 'void', closedAt: at };
    return {
      ...endStep(deps, now, { status: 'superseded', outcome, ticket: voided }),
      result: voided,
    };
  }
  return decision === 'reject'
    ? rejected(deps, now, { ...ticket, status: 'rejected', decisions, closedAt: at }, actor, reason)
    : approved(now, { ...ticket, decisions }, at, reason);
}

function rejected(
  deps: TicketDeps,
  now: Situation,
  ticket: Ticket,
  actor: string,
  reason: string | null,
): RunStep<Ticket> {
  const outcome = `${actor} rejected it${reason === null ? '.' : `: ${reason}`}`;
  const status = ticket.kind === 'approval' ? 'rejected' : 'failed';
  return { ...endStep(deps, now, { status, outcome, reason, ticket }), result: ticket };
}

function approved(
  now: Situation,
  given: Ticket,
  at: string,
  reason: string | null,
): RunStep<Ticket> {
  const run = now.stored.value;
  const by = given.decisions.filter(({ decision }) => decision === 'approve').map((one) => one.by);
  if (by.length < given.needs) {
    const detail = `${by.length} of ${given.needs} approved: ${by.join(', ')}`;
    const stages = withStages(run.stages, at, { name: 'approve', status: 'running', detail });
    return {
      action: 'run.approved',
      run: { ...run, stages },
      result: given,
      reason,
      ticket: given,
    };
  }
  const ticket: Ticket = { ...given, status: 'approved', closedAt: at };
  return {
    action: 'run.approved',
    run: forwardAfterApproval(run, ticket.kind, `approved by ${by.join(', ')}`, at),
    result: ticket,
    reason,
    ticket,
  };
}

/** Notes that somebody has looked: of a run that is over there is nothing to decide. */
async function close(
  deps: TicketDeps,
  origin: Origin,
  id: string,
  { decision, reason }: Answer,
): Promise<Ticket> {
  const key = ticketKey(origin.tenant, id);
  return commit(deps, origin, async () => {
    const found = await getRecord(deps, key);
    if (found === undefined) throw new NotFound(`There is no ticket "${id}".`);
    const ticket = found.value;
    if (ticket.status === 'closed') return { kind: 'unchanged', result: ticket };
    const at = new Date(deps.clock.nowMs()).toISOString();
    const decisions = [...ticket.decisions, { by: origin.actor, decision, reason, at }];
    const value: Ticket = { ...ticket, status: 'closed', decisions, closedAt: at };
    return {
      kind: 'change',
      entry: {
        action: 'ticket.closed',
        subject: `ticket:${id}`,
        before: { status: ticket.status },
        after: { ticket: id, run: ticket.run, status: 'closed' },
        reason,
      },
      writes: () => [{ kind: 'put', key, value, expect: found.rev }],
      result: () => value,
    };
  });
}

/** The safe side answers what nobody has answered in time. True when the run ended. */
export async function expireTicket(
  deps: TicketDeps,
  ref: { readonly tenant: string; readonly run: number },
): Promise<boolean> {
  const origin = serviceOrigin(deps, ref);
  const ended = await changeRun(deps, origin, ref, async (now) => {
    const run = now.stored.value;
    if (run.status !== 'approving' || run.ticket === null) return { result: false };
    const ticket = await readTicket(deps, ref.tenant, run.ticket);
    if (ticket.status !== 'expired') return { result: false };
    const outcome = `Nobody decided on the ticket until ${ticket.expiresAt}.`;
    return { ...endStep(deps, now, { status: 'expired', outcome, ticket }), result: true };
  });
  if (ended) await settle(deps, ref.tenant, ref.run);
  return ended;
}
