import type { Api } from '../api/api.ts';
import { sleep } from '../api/delays.ts';
import { ProblemError } from '../api/errors.ts';
import type { LeasedJob } from '../wire/job.ts';
import {
  AttemptError,
  defaultCode,
  FinalError,
  type JobWorker,
  type WorkerJob,
} from './define-worker.ts';
import { HeldLease, LeaseLostError, type LeaseTerms } from './held-lease.ts';

/** How an attempt ended. */
export type AttemptEvent =
  | { readonly kind: 'completed'; readonly job: WorkerJob; readonly result: unknown }
  | {
      readonly kind: 'rejected';
      readonly job: WorkerJob;
      readonly validator: string;
      readonly reason: string;
    }
  | { readonly kind: 'failed'; readonly job: WorkerJob; readonly error: unknown }
  /** Nothing was told: another worker has it, or will have it. */
  | { readonly kind: 'lost'; readonly job: WorkerJob; readonly error: unknown };

export interface AttemptTerms extends LeaseTerms {
  /** Gives the attempt back: its handler is told to stop. */
  readonly cut: AbortSignal;
}

type Outcome = Exclude<AttemptEvent, { readonly kind: 'lost' }>;

interface Emission {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
}

/** Without the lease, which is a secret. */
export function workerJobOf(leased: LeasedJob): WorkerJob {
  const { lease, leaseUntil, data, dataSizeBytes, dataPath, ...job } = leased;
  return job;
}

/** Works on a job, and reports what came of it. Never rejects. */
export async function attempt(
  api: Api,
  worker: JobWorker,
  leased: LeasedJob,
  terms: AttemptTerms,
): Promise<AttemptEvent> {
  const job = workerJobOf(leased);
  const lease = new HeldLease(api, leased, terms);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, lease.lost, terms.cut]);
  const emissions: Emission[] = [];
  try {
    const work = async () => workOn(api, worker, leased, job, { lease, signal, emissions });
    const outcome = await Promise.race([
      work().catch((error: unknown): Outcome => ({ kind: 'failed', job, error })),
      timeUp(worker, signal).then((error): Outcome => ({ kind: 'failed', job, error })),
    ]);
    over.abort(new AttemptError('The attempt is over.'));
    lease.release();
    if (lease.lost.aborted) return { kind: 'lost', job, error: lease.lost.reason };
    return await reported(lease, outcome, emissions);
  } catch (error) {
    return { kind: 'lost', job, error };
  } finally {
    over.abort();
    lease.release();
  }
}

async function workOn(
  api: Api,
  worker: JobWorker,
  { data: small, dataSizeBytes }: LeasedJob,
  job: WorkerJob,
  controls: {
    readonly lease: HeldLease;
    readonly signal: AbortSignal;
    readonly emissions: Emission[];
  },
): Promise<Outcome> {
  const { lease, signal, emissions } = controls;
  const path = `/jobs/${encodeURIComponent(job.id)}/data`;
  const data = dataSizeBytes === null ? small : await api.json({ path, signal });
  const context = { job, data, signal };
  for (const validator of worker.validators ?? []) {
    const reason = await validator.check(context);
    if (typeof reason === 'string') {
      return { kind: 'rejected', job, validator: validator.name, reason };
    }
  }
  signal.throwIfAborted();
  const result = await worker.handler({
    ...context,
    progress: async (percent, note) => lease.progress(percent, note),
    emit: (type, subject, about = null) => void emissions.push({ type, subject, data: about }),
  });
  return { kind: 'completed', job, result: result ?? null };
}

/** Why the attempt is over before its work is: its time, its lease, or the end of the worker. */
async function timeUp({ timeoutMs }: JobWorker, signal: AbortSignal): Promise<unknown> {
  const stopped = new Promise<unknown>((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
  if (timeoutMs === undefined) return stopped;
  const late = sleep(timeoutMs, signal).then(
    () => new AttemptError(`The attempt took longer than ${timeoutMs} ms.`, { code: 'timeout' }),
    (reason: unknown) => reason,
  );
  return Promise.race([stopped, late]);
}

async function reported(
  lease: HeldLease,
  outcome: Outcome,
  events: readonly Emission[],
): Promise<AttemptEvent> {
  if (outcome.kind === 'rejected') {
    const { validator, reason } = outcome;
    const reject = { validator: validator.slice(0, maxNameChars), reason: said(reason) };
    await lease.report('fail', { reject });
    return outcome;
  }
  if (outcome.kind === 'failed') return failed(lease, outcome.job, outcome.error);
  try {
    await lease.report('complete', { result: outcome.result, events });
    return outcome;
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    // A result or an event that the service does not take: it would not take the next one, either.
    const options = { code: 'result_refused', cause: error };
    return failed(
      lease,
      outcome.job,
      new FinalError(`The result is refused: ${textOf(error)}`, options),
    );
  }
}

async function failed(lease: HeldLease, job: WorkerJob, error: unknown): Promise<AttemptEvent> {
  const message = said(textOf(error));
  const told = error instanceof AttemptError ? error : new AttemptError(message);
  const seconds = Math.min(maxRetryAfterSeconds, Math.max(0, Math.ceil(told.retryAfterSeconds)));
  await lease.report('fail', {
    message,
    final: told.final,
    code: codePattern.test(told.code) ? told.code : defaultCode,
    retryAfterSeconds: Number.isNaN(seconds) ? 0 : seconds,
  });
  return { kind: 'failed', job, error };
}

const codePattern = /^[a-z][a-z0-9_]{0,63}$/;
const maxRetryAfterSeconds = 86_400;
const maxNameChars = 64;
const maxSaidChars = 2000;

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errors = [] } = error instanceof ProblemError ? error : {};
  return [error.message, ...errors.map(({ pointer, detail }) => `${pointer} ${detail}`)].join(' ');
}

/** Not empty, and no more than will be kept. */
function said(text: string): string {
  return text === '' ? 'nothing was said' : text.slice(0, maxSaidChars);
}
