import { HmsError } from '../api/errors.ts';

/** No rules are at hand yet: neither has the service answered, nor was there a copy on the disk. */
export class NotReadyError extends HmsError {
  override readonly name = 'NotReadyError';

  constructor(message: string, cause?: unknown) {
    super(message, { retryable: true, cause });
  }
}

/** The channel has no rule in force for this policy. */
export class UnknownPolicyError extends HmsError {
  override readonly name = 'UnknownPolicyError';
  readonly id: string;

  constructor(id: string, message: string) {
    super(message);
    this.id = id;
  }
}

/** The rule at hand was confirmed longer ago than `maxStaleMs`. */
export class StaleError extends HmsError {
  override readonly name = 'StaleError';
  readonly id: string;
  /** When the service last confirmed it. */
  readonly checkedAt: Date;

  constructor(id: string, checkedAt: Date) {
    const when = checkedAt.toISOString();
    super(`The rule of ${id} is too old: the service last confirmed it at ${when}.`, {
      retryable: true,
    });
    this.id = id;
    this.checkedAt = checkedAt;
  }
}

export type RefusalReason = 'digest' | 'unreadable' | 'other-rule' | 'lower-gen' | 'verify';

/** A rule that must not be run. */
export class RuleRefused extends HmsError {
  override readonly name = 'RuleRefused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}
