import type { Cli } from './cli.ts';
import { path } from './paths.ts';

export type Decision = 'approve' | 'reject' | 'close';

/** What people are asked, and what they said. */
export interface Ticket {
  readonly id: string;
  readonly kind: 'approval' | 'review';
  readonly run: number;
  readonly status: 'open' | 'approved' | 'rejected' | 'closed' | 'void' | 'expired';
  readonly choices: readonly Decision[];
  readonly question: string;
  readonly authors: readonly string[];
  readonly needs: number;
  readonly decisions: readonly {
    readonly by: string;
    readonly decision: Decision;
    readonly reason: string | null;
    readonly at: string;
  }[];
  readonly openedAt: string;
  readonly expiresAt: string;
}

/** Says yes or no to a ticket, as an approver, and tells what became of it. */
export async function decide(
  cli: Cli,
  ticket: string,
  decision: Decision,
  reason: string | undefined,
): Promise<void> {
  const api = await cli.connect('approver');
  const answer = await api.json<Ticket>({
    method: 'POST',
    path: path`/api/tickets/${ticket}/decision`,
    json: { decision, reason },
    signal: cli.io.signal,
  });
  const { out } = cli;
  out.result(answer, () => {
    const { id, status, needs, decisions, run } = answer;
    const yes = decisions.filter((one) => one.decision === 'approve').length;
    const count = status === 'open' ? `, with ${yes} of ${needs} who must approve` : '';
    out.line(`${id} is ${status}${count}. Watch the run: hms-svc run watch ${run}`);
  });
}
