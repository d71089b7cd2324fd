import type { Hono } from 'hono';
import { handle, streamHandle } from 'hono/aws-lambda';

/**
 * The app as a Lambda handler whose answers are streamed. Lambda's own runtime brings along what that
 * takes; where it is missing (an emulator), an answer is collected, and given when it has ended.
 */
export function streamingHandler(app: Hono): ReturnType<typeof handle | typeof streamHandle> {
  const { awslambda } = globalThis as { awslambda?: { readonly streamifyResponse?: unknown } };
  return awslambda?.streamifyResponse === undefined ? handle(app) : streamHandle(app);
}
