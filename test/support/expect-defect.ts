import { expect } from 'vitest';
import { AppError } from '../../src/core/errors/app-error.ts';

/** A breach is a defect of the caller: thrown, but never as an error that a client is shown. */
export async function expectDefect(call: () => Promise<unknown>): Promise<void> {
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(AppError);
}
