import { AppError, type ErrorDetail } from '../../../src/core/errors/app-error.ts';

/** What a call was refused with. Fails when it succeeds, or throws anything but an `AppError`. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

export async function refusalOf(call: () => unknown): Promise<Refusal> {
  try {
    await call();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}
