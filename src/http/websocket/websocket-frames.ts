import { clientFrame } from '../../contract/frame-schemas.ts';
import type { Problem } from '../../contract/problems.ts';
import { InvalidRequest, TooLarge } from '../../core/errors/app-error.ts';
import { type ClientFrame, pushLimits, type ServerFrame } from '../../core/push/push-frames.ts';
import { parseStrictJson } from '../../core/values/strict-json.ts';
import type { Log } from '../../ports/log.ts';
import { problemOf } from '../problem-reply.ts';
import { parsePart } from '../read-request.ts';

const maxDepth = 4;

/** What a client says. Errors: `InvalidRequest` and `TooLarge`, which say what is wrong with it. */
export function parseFrame(text: string): ClientFrame {
  // UTF-8 is no shorter than UTF-16 has units.
  if (
    text.length > pushLimits.maxFrameBytes ||
    Buffer.byteLength(text) > pushLimits.maxFrameBytes
  ) {
    throw new TooLarge(`A frame has at most ${pushLimits.maxFrameBytes} bytes.`);
  }
  const value = jsonOf(text);
  try {
    return parsePart(clientFrame, value, 'body');
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    throw new InvalidRequest('The frame is not as it should be.', error.details);
  }
}

function jsonOf(text: string): unknown {
  const parsed = parseStrictJson(text, maxDepth);
  if ('value' in parsed) return parsed.value;
  throw new InvalidRequest('A frame is one JSON object.', [
    { pointer: '', detail: parsed.problem },
  ]);
}

/** A frame as it is sent. */
export function frameText(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** What a client is told when its frame changed nothing. `subscription`: which one it was about. */
export function errorFrameText(
  error: unknown,
  subscription: string | null,
  requestId: string,
  log: Log,
): string {
  const problem: Problem = problemOf(error, requestId, log);
  return JSON.stringify({ type: 'error', subscription, problem });
}

/** The subscription that a frame is about, or null. */
export function subscriptionOf(frame: ClientFrame): string | null {
  return 'subscription' in frame ? frame.subscription : null;
}
