/** What an approval is for: it is void when any of it changes. */
export interface TicketBinding {
  readonly policies: readonly {
    readonly id: string;
    readonly digest: string;
    /** The lane that was looked at: its generation, and the rule to be replaced. */
    readonly gen: number;
    readonly replaces: string | null;
  }[];
  /** The report of the simulation, by its address. */
  readonly report: string | null;
}

export interface TicketDecision {
  readonly by: string;
  readonly decision: 'approve' | 'reject' | 'close';
  readonly reason: string | null;
  readonly at: string;
}

/**
 * A question to people. `approval`: may the run change anything? `review`: its canary failed, or
 * told nothing. What nobody answers in time is answered by the safe side: no.
 */
export interface Ticket {
  readonly id: string;
  readonly kind: 'approval' | 'review';
  readonly run: number;
  readonly status: 'open' | 'approved' | 'rejected' | 'closed' | 'void' | 'expired';
  /** What may be decided: `close` only notes that somebody looked. */
  readonly choices: readonly TicketDecision['decision'][];
  /** One line for people. */
  readonly question: string;
  /** Who may not decide: the authors of the run and of its snapshots. */
  readonly authors: readonly string[];
  /** So many people must approve. */
  readonly needs: number;
  readonly decisions: readonly TicketDecision[];
  readonly binding: TicketBinding;
  readonly openedAt: string;
  readonly expiresAt: string;
  readonly closedAt: string | null;
}
