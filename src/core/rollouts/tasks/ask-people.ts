import type { Deps } from '../../deps.ts';
import { Conflict } from '../../errors/app-error.ts';
import { getRecord } from '../../records.ts';
import { requireSnapshot } from '../../policies/find-snapshot.ts';
import { changeRun, type RunDeps, serviceOrigin } from '../change-run.ts';
import { requireRun, type Situation } from '../read-situation.ts';
import type { RunRef } from '../rollout-tasks.ts';
import { taskTokenKey } from '../run-keys.ts';
import type { RunRecord } from '../run-record.ts';
import { signalRun } from '../signal-run.ts';
import type { Ticket } from '../ticket.ts';
import { bindingOf } from '../tickets.ts';

type AskDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;

const hourMs = 3_600_000;
const approvalMs = 72 * hourMs;
/** Of a canary that failed or told nothing. */
export const reviewMs = 24 * hourMs;

/** Opens the ticket that a run needs before it changes anything, and lets the process wait. */
export async function requestApproval(
  deps: AskDeps,
  { token, ...ref }: RunRef & { readonly token: string },
): Promise<void> {
  await changeRun(deps, serviceOrigin(deps, ref), ref, async (now) => {
    const run = now.stored.value;
    if (run.status !== 'approving' || run.ticket !== null) return { result: null };
    const policies = run.policies.map(({ id, version }) => `${id}@${version}`).join(', ');
    const question = `Roll ${policies} out to ${run.channel}?`;
    const ticket = await newTicket(deps, now, 'approval', question, approvalMs);
    return { action: 'run.asked', run: { ...run, ticket: ticket.id }, result: null, ticket };
  });
  await awaitDecision(deps, ref, token);
}

/** Lets the process wait for the review that an inconclusive canary has opened. */
export async function requestReview(
  deps: AskDeps,
  { token, ...ref }: RunRef & { readonly token: string },
): Promise<void> {
  await awaitDecision(deps, ref, token);
}

/**
 * Puts the token away, then looks whether the decision has been made already: who decides puts
 * the decision down first, and looks for a token then. So one of the two finds the other's.
 */
async function awaitDecision(deps: AskDeps, ref: RunRef, token: string): Promise<void> {
  const key = taskTokenKey(ref);
  const found = await getRecord(deps, key);
  const expect = found?.rev ?? 'absent';
  const write = { kind: 'put', key, value: { token }, expect } as const;
  if ((await deps.records.commit([write], deps.ids.next())) === 'conflict') {
    throw new Conflict('Another process of the run has just put its token there. Ask again.');
  }
  const { value: run } = await requireRun(deps, ref);
  await signalRun(deps, ref, run);
}

/** A ticket about the run as it stands. Its id is the run's, so that asking twice asks once. */
export async function newTicket(
  deps: Pick<Deps, 'records' | 'clock'>,
  { ref, stored }: Situation,
  kind: Ticket['kind'],
  question: string,
  lifeMs: number,
): Promise<Ticket> {
  const run = stored.value;
  const nowMs = deps.clock.nowMs();
  return {
    id: `run-${run.run}-${kind}`,
    kind,
    run: run.run,
    status: 'open',
    choices: ['approve', 'reject'],
    question,
    authors: await authorsOf(deps, ref.tenant, run),
    needs: Math.max(1, run.approvals),
    decisions: [],
    binding: bindingOf(run),
    openedAt: new Date(nowMs).toISOString(),
    expiresAt: new Date(nowMs + lifeMs).toISOString(),
    closedAt: null,
  };
}

async function authorsOf(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  { author, policies }: RunRecord,
): Promise<string[]> {
  const snapshots = await Promise.all(
    policies.map(({ id, snapshot }) => requireSnapshot(deps, tenant, id, snapshot)),
  );
  return [...new Set([author, ...snapshots.map(({ storedBy }) => storedBy)])];
}
