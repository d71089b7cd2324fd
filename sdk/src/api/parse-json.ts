import { BadAnswerError } from './errors.ts';

/** Errors: `BadAnswerError` when it is not JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new BadAnswerError('The answer is not JSON.', error);
  }
}
