/**
 * Every reason for which a call can fail. Stable: clients branch on it.
 * `src/contract/problems.ts` gives each its HTTP status and title.
 */
export type ErrorCode =
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
  | 'not_yet_effective'
  | 'idempotency_key_reused'
  | 'invalid_document'
  | 'too_many_requests'
  | 'unavailable'
  | 'bad_gateway'
  | 'gateway_timeout'
  | 'internal';

/** One thing that is wrong with an input: where (RFC 6901 pointer, or a file name), and what to do. */
export interface ErrorDetail {
  readonly pointer: string;
  readonly detail: string;
}

interface AppErrorOptions {
  readonly details?: readonly ErrorDetail[];
  readonly retryable?: boolean;
  readonly retryAfterS?: number;
  readonly cause?: unknown;
}

/**
 * The one error that crosses a border of the system.
 * `message` is shown to the caller: it says what to do and holds no secret.
 */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  /** The same call may succeed later, unchanged. */
  readonly retryable: boolean;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? [];
    this.retryable = options.retryable ?? false;
    this.retryAfterS = options.retryAfterS;
  }
}

export class InvalidRequest extends AppError {
  override readonly name = 'InvalidRequest';
  constructor(message: string, details: readonly ErrorDetail[] = []) {
    super('invalid_request', message, { details });
  }
}

export class Unauthenticated extends AppError {
  override readonly name = 'Unauthenticated';
  constructor(message: string, cause?: unknown) {
    super('unauthenticated', message, { cause });
  }
}

export class Forbidden extends AppError {
  override readonly name = 'Forbidden';
  constructor(message: string) {
    super('forbidden', message);
  }
}

export class NotFound extends AppError {
  override readonly name = 'NotFound';
  constructor(message: string, code: 'not_found' | 'not_in_force' = 'not_found') {
    super(code, message);
  }
}

export class Conflict extends AppError {
  override readonly name = 'Conflict';
  constructor(
    message: string,
    code:
      | 'conflict'
      | 'ambiguous_snapshot'
      | 'nothing_to_roll_back_to'
      | 'rollout_required'
      | 'job_not_open' = 'conflict',
    details: readonly ErrorDetail[] = [],
  ) {
    super(code, message, { details, retryable: code === 'conflict' });
  }
}

export class PreconditionFailed extends AppError {
  override readonly name = 'PreconditionFailed';
  constructor(message: string) {
    super('precondition_failed', message);
  }
}

export class TooLarge extends AppError {
  override readonly name = 'TooLarge';
  constructor(message: string) {
    super('too_large', message);
  }
}

/** Understood, and refused for what it says: a package or a rule that breaks a limit or a law. */
export class Unprocessable extends AppError {
  override readonly name = 'Unprocessable';
  constructor(
    code: 'invalid_package' | 'invalid_policy' | 'invalid_document' | 'not_yet_effective',
    message: string,
    details: readonly ErrorDetail[] = [],
  ) {
    super(code, message, { details });
  }
}

/** A service behind the gateway failed, or the way to it did: no failure of ours. */
export class ServiceFailed extends AppError {
  override readonly name = 'ServiceFailed';
  /** The caller would not wait for it as long as it may take. */
  readonly isCallers: boolean;

  constructor(
    code: 'unavailable' | 'bad_gateway' | 'gateway_timeout',
    message: string,
    { isCallers = false, retryAfterS }: { isCallers?: boolean; retryAfterS?: number } = {},
  ) {
    super(code, message, retryAfterS === undefined ? {} : { retryable: true, retryAfterS });
    this.isCallers = isCallers;
  }
}

/** A part we depend on did not answer. What was asked may or may not have been done. */
export class Unavailable extends AppError {
  override readonly name = 'Unavailable';
  constructor(message: string, cause?: unknown) {
    super('unavailable', message, { cause, retryable: true, retryAfterS: 1 });
  }
}
