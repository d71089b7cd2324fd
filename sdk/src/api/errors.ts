import type { Problem, ProblemDetail } from '../wire/problem.ts';

/** Everything that this client throws, but for what aborts it: that is the reason of the signal. */
export class HmsError extends Error {
  override readonly name: string = 'HmsError';
  /** The same call may succeed later, unchanged. */
  readonly retryable: boolean;

  constructor(message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? false;
  }
}

/** The service refused the call, and says why: an answer of 400 or above. */
export class ProblemError extends HmsError {
  override readonly name = 'ProblemError';
  /** Stable, such as `not_found`. `http_<status>` when the answer was not one of the service's. */
  readonly code: Problem['code'];
  readonly status: number;
  /** Names the call in the logs of the service. Empty when it gave none. */
  readonly requestId: string;
  /** For bad input: each finding, and where it is. */
  readonly errors: readonly ProblemDetail[];
  /** What the service asks to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail, { retryable: retryableStatuses.has(problem.status) });
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.requestId;
    this.errors = problem.errors ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer, or not in time: the call may or may not have had its effect. */
export class NoAnswerError extends HmsError {
  override readonly name = 'NoAnswerError';

  constructor(message: string, cause?: unknown) {
    super(message, { retryable: true, cause });
  }
}

/** An answer that cannot be true: half a body, not what was asked for, too large. */
export class BadAnswerError extends HmsError {
  override readonly name = 'BadAnswerError';

  constructor(message: string, cause?: unknown) {
    super(message, { retryable: true, cause });
  }
}

/** No token could be had: nothing was called. */
export class TokenError extends HmsError {
  override readonly name = 'TokenError';
}

const retryableStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
