/** Every `code` that a problem of the service may have. */
export type ProblemCode =
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'not_in_force'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'conflict'
  | 'ambiguous_snapshot'
  | 'nothing_to_roll_back_to'
  | 'rollout_required'
  | 'job_not_open'
  | 'lease_lost'
  | 'precondition_failed'
  | 'too_large'
  | 'unsupported_media_type'
  | 'invalid_package'
  | 'invalid_policy'
  | 'invalid_document'
  | 'idempotency_key_reused'
  | 'not_yet_effective'
  | 'too_many_requests'
  | 'internal'
  | 'bad_gateway'
  | 'unavailable'
  | 'gateway_timeout';

/** For bad input: one finding, and where it is. */
export interface ProblemDetail {
  readonly pointer: string;
  readonly detail: string;
}

/** RFC 9457 `application/problem+json`, as the service writes it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** One of `ProblemCode`, or, from a newer service, one that this client does not know. */
  readonly code: ProblemCode | (string & {});
  /** What went wrong this time, and what to do. */
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly ProblemDetail[];
}
