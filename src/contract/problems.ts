import type { ErrorCode, ErrorDetail } from '../core/errors/app-error.ts';
import type { Operation } from './operation.ts';

interface ProblemKind {
  readonly status: number;
  /** The same for every occurrence (RFC 9457, 3.1.3). */
  readonly title: string;
}

/** Every problem that a call can end in. `docs/errors.md` tells what to do about each. */
export const problems: Readonly<Record<ErrorCode, ProblemKind>> = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  unauthenticated: { status: 401, title: 'No valid access token' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  not_found: { status: 404, title: 'There is no such thing' },
  not_in_force: { status: 404, title: 'No rule is in force' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  not_acceptable: { status: 406, title: 'No representation fits the Accept header' },
  conflict: { status: 409, title: 'Others changed the same thing at the same time' },
  ambiguous_snapshot: { status: 409, title: 'The name fits several snapshots' },
  rollout_required: { status: 409, title: 'The channel takes new rules by rollouts only' },
  job_not_open: { status: 409, title: 'The job is past that' },
  lease_lost: { status: 409, title: 'The lease of the job is over' },
  nothing_to_roll_back_to: { status: 409, title: 'There is nothing to roll back to' },
  precondition_failed: { status: 412, title: 'The precondition does not hold' },
  too_large: { status: 413, title: 'Too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_package: { status: 422, title: 'The package is not acceptable' },
  invalid_policy: { status: 422, title: 'The rule is not acceptable' },
  invalid_document: { status: 422, title: 'The document is not acceptable' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key belongs to another request' },
  not_yet_effective: { status: 422, title: 'The rule has not yet taken effect' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The service failed' },
  bad_gateway: { status: 502, title: 'What is behind the gateway gave no sound answer' },
  unavailable: { status: 503, title: 'The service is not available' },
  gateway_timeout: { status: 504, title: 'What is behind the gateway did not answer in time' },
};

/** Whatever is called: too much of it, or too often, and what is not the caller's fault. */
const ofEveryCall: readonly ErrorCode[] = [
  'invalid_request',
  'too_large',
  'too_many_requests',
  'internal',
  'unavailable',
];

/** All that a call of the operation may end in. */
export function problemsOf(operation: Operation): ReadonlySet<ErrorCode> {
  const { problems: own, scope, body } = operation;
  const guarded: readonly ErrorCode[] = scope === null ? [] : ['unauthenticated', 'forbidden'];
  const typed: readonly ErrorCode[] = body === undefined ? [] : ['unsupported_media_type'];
  return new Set([...own, ...ofEveryCall, ...guarded, ...typed]);
}

/** RFC 9457 `application/problem+json`. */
export interface Problem {
  /** `urn:hms:problem:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** What went wrong this time, and what to do. */
  readonly detail: string;
  readonly requestId: string;
  /** For bad input: each finding, and where it is. */
  readonly errors?: readonly ErrorDetail[];
}
