import { setTimeout as delay } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamingHandler } from '../../../src/compose/aws-streaming.ts';

type Invoke = (event: object, response: Writable, context: object) => Promise<void>;

/** As Lambda's runtime has it: what is written, and how it ended. */
class FakeResponse extends Writable {
  readonly chunks: string[] = [];
  head: unknown;
  fate: 'open' | 'ended' | 'destroyed' = 'open';
  readonly #delayMs: number;

  constructor(delayMs = 0) {
    super({ highWaterMark: 8 });
    this.#delayMs = delayMs;
    this.once('finish', () => (this.fate = 'ended'));
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk.toString());
    setTimeout(done, this.#delayMs);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.fate === 'open') this.fate = 'destroyed';
    done(error);
  }
}

const text = (chunk: string) => new TextEncoder().encode(chunk);

/** Chunks as they are asked for; an error breaks the stream off. */
function streamOf(parts: readonly (string | Error)[]) {
  const seen = { pulled: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const part = parts[seen.pulled];
        seen.pulled += 1;
        if (part === undefined) controller.close();
        else if (part instanceof Error) controller.error(part);
        else controller.enqueue(text(part));
      },
      cancel: () => void (seen.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

const event = (path: string) => ({
  version: '1.0',
  httpMethod: 'GET',
  path,
  headers: { host: 'hms.example' },
  requestContext: { domainName: 'hms.example', identity: {} },
});

describe('streaming, where the runtime can', () => {
  let made: () => Response;
  const app = new Hono();
  app.get('/svc/*', () => made());
  beforeEach(() => {
    vi.stubGlobal('awslambda', {
      streamifyResponse: (handler: Invoke) => handler,
      HttpResponseStream: {
        from: (response: FakeResponse, head: unknown) => Object.assign(response, { head }),
      },
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  const invoke = async (response: FakeResponse) => {
    const handler = streamingHandler(app) as unknown as Invoke;
    await handler(event('/svc/check'), response, {});
  };

  it('hands on head and chunks as they come, and ends', async () => {
    const { stream } = streamOf(['a', 'b']);
    made = () => new Response(stream, { status: 201, headers: { 'x-a': 'b' } });
    const response = new FakeResponse();
    await invoke(response);
    expect(response.head).toEqual({ statusCode: 201, headers: { 'x-a': 'b' } });
    await expect.poll(() => response.fate).toBe('ended');
    expect(response.chunks).toEqual(['a', 'b']);
  });

  it('gives an answer without a body its head', async () => {
    made = () => new Response(null, { status: 204 });
    const response = new FakeResponse();
    await invoke(response);
    expect(response.chunks).toEqual(['']);
    await expect.poll(() => response.fate).toBe('ended');
  });

  it('fails the invocation where an answer breaks off, and does not end it as if it were whole', async () => {
    const broke = new Error('The answer broke off.');
    made = () => new Response(streamOf(['a', broke]).stream);
    const response = new FakeResponse();
    await expect(invoke(response)).rejects.toBe(broke);
    await delay(5);
    expect(response.chunks).toEqual(['a']);
    // Left to the runtime, which tells Lambda why.
    expect([response.fate, response.writable]).toEqual(['open', true]);
  });

  it('reads no faster than the answer is taken, and lets go of it when nobody takes it', async () => {
    const { stream, seen } = streamOf(Array.from({ length: 100 }, () => 'x'.repeat(8)));
    made = () => new Response(stream);
    const response = new FakeResponse(10);
    const invoked = invoke(response);
    await delay(25);
    expect(seen.pulled).toBeLessThan(8);
    response.destroy();
    await expect(invoked).rejects.toThrow();
    expect(seen.cancelled).toBe(true);
  });

  it('answers what is no request as it should be', async () => {
    const response = new FakeResponse();
    const handler = streamingHandler(app) as unknown as Invoke;
    await handler({ ...event('/svc/check'), httpMethod: 'NO METHOD' }, response, {});
    expect(response.head).toMatchObject({ statusCode: 400 });
    expect(response.chunks).toEqual(['Invalid request']);
  });
});

it('collects the answer where the runtime cannot stream', async () => {
  const app = new Hono();
  app.get('/svc/*', () => new Response(streamOf(['a', 'b']).stream));
  const handler = streamingHandler(app) as unknown as (event: object) => Promise<{ body: string }>;
  expect(await handler(event('/svc/check'))).toMatchObject({ statusCode: 200, body: 'ab' });
});
