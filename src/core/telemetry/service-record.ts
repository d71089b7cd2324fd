import type { Arm } from './alert-record.ts';

export type ReceiptStatus = 'applied' | 'refused';

/** What one service told of one policy in a channel. */
export interface ServiceRecord {
  readonly service: string;
  /** Its last word; null while it has raised alerts only. */
  readonly told: Told | null;
  /** Unix ms; when it last told decisions. */
  readonly decisionsToldAtMs: number | null;
  /** Of the last run only. */
  readonly account: RunAccount | null;
  /** The last report that had an id. */
  readonly reportId: string | null;
  readonly commitId: string;
}

export interface Told {
  readonly snapshot: string;
  readonly status: ReceiptStatus;
  readonly reason: string | null;
  /** Unix ms; since when it has run this snapshot without a word of another. Null when refused. */
  readonly firstAppliedAtMs: number | null;
  readonly atMs: number;
}

/** What a service told while a run tried its candidate. */
export interface RunAccount {
  readonly run: number;
  /** What it last said of the candidate; null for nothing. */
  readonly candidate: ReceiptStatus | null;
  readonly canary: ArmAccount;
  readonly stable: ArmAccount;
  /**
   * The first decisions under the stable rule. They go back to `fromMs`, when the service told
   * the ones before: a part of them may have been made before the canary began.
   */
  readonly opening: {
    readonly fromMs: number;
    readonly atMs: number;
    readonly decisions: number;
  } | null;
}

export interface ArmAccount {
  readonly decisions: number;
  /** Alerts of these decisions. */
  readonly alerts: number;
  /** Alerts since the service last told decisions: they wait for those, and count with them. */
  readonly waiting: number;
}

const emptyArm: ArmAccount = { decisions: 0, alerts: 0, waiting: 0 };

/** The account of this run: an earlier run's is of no use any more. */
export function accountFor(account: RunAccount | null, run: number): RunAccount {
  if (account?.run === run) return account;
  return { run, candidate: null, canary: emptyArm, stable: emptyArm, opening: null };
}

export function withWaitingAlert(account: RunAccount, arm: Arm): RunAccount {
  const mine = account[arm];
  return { ...account, [arm]: { ...mine, waiting: mine.waiting + 1 } };
}

/** Takes in decisions, and with them the alerts that waited. */
export function withDecisions(
  account: RunAccount,
  arm: Arm,
  told: { readonly decisions: number; readonly fromMs: number | null; readonly atMs: number },
): RunAccount {
  const { decisions, alerts, waiting } = account[arm];
  const closed = { decisions, alerts: alerts + waiting, waiting: 0 };
  const opens = arm === 'stable' && account.opening === null && decisions === 0;
  if (opens && told.decisions > 0 && told.fromMs !== null) {
    const { fromMs, atMs } = told;
    return { ...account, stable: closed, opening: { fromMs, atMs, decisions: told.decisions } };
  }
  return { ...account, [arm]: { ...closed, decisions: decisions + told.decisions } };
}

/** Decisions under the stable rule since the canary began: of the first ones, its part by time. */
export function stableDecisionsSince({ stable, opening }: RunAccount, startedAtMs: number): number {
  if (opening === null) return stable.decisions;
  const { fromMs, atMs, decisions } = opening;
  const span = atMs - fromMs;
  const part = span <= 0 ? 1 : Math.min(1, Math.max(0, (atMs - startedAtMs) / span));
  return stable.decisions + Math.floor(decisions * part);
}
