import type { ProblemCode } from './problem.ts';

/** What a service says of a snapshot. */
export interface Receipt {
  readonly policy: string;
  readonly channel: 'dev' | 'test' | 'prod';
  readonly snapshot: string;
  /** `applied`: the service runs it now; `refused`: it cannot. */
  readonly status: 'applied' | 'refused';
  readonly reason?: string | undefined;
  /** Made under this snapshot since the last report of them. */
  readonly decisions?: number | undefined;
}

/** What `POST /api/receipts` takes. */
export interface NewReceipts {
  /** Of one policy and channel, the last is what the service stands on. */
  readonly receipts: readonly Receipt[];
  /** The same one after the other counts once. */
  readonly reportId?: string | undefined;
}

/** What became of each, in the order of the report. */
export interface ReceiptAnswers {
  readonly receipts: readonly (
    | {
        readonly policy: string;
        readonly channel: 'dev' | 'test' | 'prod';
        readonly snapshot: string;
        readonly status: 'recorded' | 'repeated';
        readonly arm: 'canary' | 'stable' | null;
        readonly run: number | null;
      }
    | {
        readonly policy: string;
        readonly channel: 'dev' | 'test' | 'prod';
        readonly snapshot: string;
        readonly status: 'failed';
        readonly code: ProblemCode;
        readonly detail: string;
      }
  )[];
}
