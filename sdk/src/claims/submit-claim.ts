import type { Api } from '../api/api.ts';
import type { CallOptions, SignalOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import { patiently } from '../api/patiently.ts';
import { getJob } from '../jobs/job.ts';
import type { ClaimPage } from '../wire/claim.ts';
import { putFile } from './put-file.ts';

export interface ClaimOptions extends CallOptions {
  /** One line for people. */
  readonly title?: string;
  /** What is claimed, as the agency calls it. */
  readonly kind?: string;
  /** Names the request: the same again within 7 days is the same claim. A new one unless given. */
  readonly idempotencyKey?: string;
  /** The claimant, else the caller; needs the scope `act:subject`. */
  readonly subject?: string;
  /** Of the claimant. */
  readonly region?: string;
  /** One line of ASCII, for the journal. */
  readonly reason?: string;
}

export interface Claim {
  /** Such as `CLM-4521`. */
  readonly id: string;
  /** As it is now. */
  readonly status: (options?: SignalOptions) => Promise<ClaimPage>;
  /**
   * The claim with its decision, as soon as it was reviewed. That may take days: give a signal.
   * Errors: `JobRejectedError` when there was no case for a review, `JobDeadError` when every attempt
   * failed, `JobCancelledError` when it was withdrawn; `ProblemError`.
   */
  readonly reviewed: (options?: SignalOptions) => Promise<ClaimPage>;
}

/** What every gateway lets through; above it, the file is put where it is kept. */
const maxPostedBytes = 4 * 1024 * 1024;

/**
 * Files a claim with a PDF of at most 16 MiB. It is stored, and its review queued, when this resolves.
 * Errors: `ProblemError`, such as `invalid_document` for what is no PDF; `NoAnswerError`.
 */
export async function submitClaim(
  pdf: Uint8Array | Blob,
  options: ClaimOptions = {},
): Promise<Claim> {
  const { connection, signal, title, kind } = options;
  const api = connect(connection);
  const bytes = pdf instanceof Uint8Array ? pdf : new Uint8Array(await pdf.arrayBuffer());
  const isSmall = bytes.byteLength <= maxPostedBytes;
  const { claim_id: id } = await api.json<Pick<ClaimPage, 'claim_id'>>({
    method: 'POST',
    path: '/claims',
    headers: {
      ...(isSmall ? { 'content-type': 'application/pdf' } : {}),
      'idempotency-key': options.idempotencyKey ?? crypto.randomUUID(),
      'x-subject': options.subject,
      'x-region': options.region,
      'x-reason': options.reason,
    },
    ...(isSmall
      ? { body: bytes, query: { title, kind } }
      : { json: { file: await putFile(api, bytes, signal), title, kind } }),
    idempotent: true,
    signal,
  });
  return claimOf(api, id);
}

/** The claim of that id. Nothing is asked yet. */
export function getClaim(id: string, { connection }: Pick<CallOptions, 'connection'> = {}): Claim {
  return claimOf(connect(connection), id);
}

function claimOf(api: Api, id: string): Claim {
  const path = `/claims/${encodeURIComponent(id)}`;
  const status: Claim['status'] = async ({ signal } = {}) => api.json<ClaimPage>({ path, signal });
  return {
    id,
    status,
    async reviewed(options = {}) {
      const page = async () => patiently(async () => status(options), options.signal);
      const { job } = await page();
      await getJob(job, { connection: api }).done(options);
      return page();
    },
  };
}
