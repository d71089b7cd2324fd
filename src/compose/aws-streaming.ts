import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

type Buffered = ReturnType<typeof handle>;
type Streamed = (event: never, ...more: never[]) => unknown;
type Handler = (
  event: Parameters<Buffered>[0],
  response: Writable,
  context: Parameters<Buffered>[1],
) => Promise<void>;

/** What Lambda's own runtime brings along (https://github.com/aws/aws-lambda-nodejs-runtime-interface-client). */
interface LambdaGlobals {
  readonly streamifyResponse?: (handler: Handler) => Streamed;
  readonly HttpResponseStream?: {
    from(response: Writable, head: { statusCode: number; headers: object }): Writable;
  };
}

/**
 * The app as a Lambda handler whose answers are streamed. Where the runtime cannot do that (an
 * emulator), an answer is collected, and given when it has ended.
 *
 * An answer that breaks off in the middle fails the invocation: the runtime tells Lambda so in the
 * trailers of the response, Lambda cuts the stream, and the caller sees that it is not whole. To
 * destroy the response would do the same and take the runtime with it: nothing there catches that.
 */
export function streamingHandler(app: Hono): Buffered | Streamed {
  const { awslambda = {} } = globalThis as unknown as { awslambda?: LambdaGlobals };
  const { streamifyResponse, HttpResponseStream } = awslambda;
  if (streamifyResponse === undefined || HttpResponseStream === undefined) return handle(app);
  return streamifyResponse(async (event, response, context) => {
    const { status, headers, body } = await answerOf(app, event, context);
    const head = { statusCode: status, headers: Object.fromEntries(headers) };
    const stream = HttpResponseStream.from(response, head);
    // The head goes out with the first write, also where nothing follows.
    if (body === null) stream.write('');
    // Neither ends it nor destroys it.
    else await pipeline(body, stream, { end: false });
    stream.end();
  });
}

/** The answer as the app gives it, to an event as Hono reads it. */
async function answerOf(
  app: Hono,
  event: Parameters<Buffered>[0],
  context: Parameters<Buffered>[1],
): Promise<Response> {
  let made: Response | undefined;
  const taking = {
    fetch: async (request: Request, env: object) => {
      made = await app.fetch(request, env);
      return new Response(null);
    },
  };
  const { statusCode, body } = await handle(taking as unknown as Hono)(event, context);
  // One that is none, Hono refuses itself.
  return made ?? new Response(body, { status: statusCode });
}
