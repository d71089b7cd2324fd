import type { Deps } from '../deps.ts';
import { AppError } from '../errors/app-error.ts';
import type { Json } from '../values/json.ts';
import type { JobContext, Worker } from './define-worker.ts';
import type { AttemptOutcome } from './finish-attempt.ts';
import type { JobRecord } from './job-record.ts';
import { GatheringTransaction } from './job-transaction.ts';
import { parseJobData } from './parse-job-data.ts';
import { readJobData } from './read-job.ts';

/** Whether the governance rules in force let a job be done. */
export type Vet = (asked: {
  readonly tenant: string;
  readonly actor: {
    readonly id: string;
    readonly subject: string;
    readonly region?: string | undefined;
  };
  readonly action: string;
  readonly payload: Json;
}) => Promise<
  { readonly verdict: 'allowed' } | { readonly verdict: 'denied'; readonly reason: string }
>;

export type RunDeps = Pick<Deps, 'records' | 'blobs'> & { readonly vet: Vet };

export interface AttemptControls {
  readonly signal: AbortSignal;
  readonly progress: (percent: number, note?: string) => Promise<void>;
}

/**
 * Does the work of one attempt: data, validators, governance, handler, in this order. Nothing is
 * written: what the handler wants written is part of the outcome. Errors: what the handler throws.
 */
export async function runAttempt(
  deps: RunDeps,
  worker: Worker,
  tenant: string,
  job: JobRecord,
  { signal, progress }: AttemptControls,
): Promise<AttemptOutcome> {
  const raw = await readJobData(deps, tenant, job);
  const parsed = await parseJobData(worker.schema, raw);
  if ('findings' in parsed) {
    const reason = parsed.findings.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
    return { kind: 'rejected', validator: 'schema', reason };
  }
  const tx = new GatheringTransaction(deps);
  const context: JobContext<unknown> = { tenant, job, data: parsed.data, tx };
  for (const validator of worker.validators ?? []) {
    const reason = await validator.check(context);
    if (reason !== null) return { kind: 'rejected', validator: validator.name, reason };
  }
  const actor = { id: job.actor, subject: job.subject, region: job.region };
  const vetted = await deps.vet({ tenant, actor, action: job.type, payload: raw });
  if (vetted.verdict === 'denied') {
    return { kind: 'rejected', validator: 'governance', reason: vetted.reason };
  }
  signal.throwIfAborted();
  const result = await worker.handler({ ...context, signal, progress });
  return {
    kind: 'completed',
    // Undefined, as a handler in JavaScript may answer all the same, is no JSON.
    result: result ?? null,
    emissions: tx.emissions,
    writes: writesOf(tx),
  };
}

/** The writes, as long as what they rest on stands: asked again, somebody has been faster. */
function writesOf(tx: GatheringTransaction) {
  let isFirst = true;
  return async () => {
    const stands = isFirst || (await tx.stillHolds());
    isFirst = false;
    if (stands) return tx.writes();
    throw new AppError('conflict', 'Others changed what this work rests on.', { retryable: true });
  };
}
