import type { Json } from '../../core/values/json.ts';

const namePattern = /^[A-Za-z0-9_-]{1,80}$/;
const maxInputBytes = 32 * 1024;

/**
 * The limits of the WorkflowEngine port, one and the same for every adapter; answers the input as
 * JSON. A breach is a defect of the caller: `RangeError`, before anything is started.
 */
export function checkStart(name: string, input: Json): string {
  if (!namePattern.test(name)) {
    throw new RangeError('a process has a name of 1 to 80 of A-Z a-z 0-9 _ -');
  }
  const text = JSON.stringify(input);
  if (Buffer.byteLength(text) > maxInputBytes) {
    throw new RangeError(`the input of a process has at most ${maxInputBytes} bytes as JSON`);
  }
  return text;
}
