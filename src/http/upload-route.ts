import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { Deps } from '../core/deps.ts';
import {
  AppError,
  InvalidRequest,
  NotFound,
  PreconditionFailed,
  TooLarge,
} from '../core/errors/app-error.ts';
import type { UploadWish } from '../ports/upload-gate.ts';
import { problemReply } from './problem-reply.ts';
import type { Reply } from './reply.ts';
import { requestTrace } from './request-trace.ts';

export interface UploadDeps extends Pick<Deps, 'blobs' | 'ids' | 'log' | 'metrics'> {
  /** What a token lets its holder put; undefined for one that is not ours, or has expired. */
  readonly wishOf: (token: string) => UploadWish | undefined;
}

/** Uploads of a tenant at a time: each is held in memory, up to 16 MiB. */
const maxUploads = 4;

/**
 * `PUT /uploads/{token}`, to where the gate of an embedded server lets clients put a blob. The token
 * is all that it takes. Answers 200 when the blob is stored, 412 when it was there already, and
 * every failure as a problem.
 */
export function createUploadApp(deps: UploadDeps): Hono {
  const app = new Hono();
  const open = new Map<string, number>();
  app.put('/uploads/:token', (context) =>
    answered(deps, context.req.raw, async () => {
      const wish = deps.wishOf(context.req.param('token'));
      if (wish === undefined) {
        throw new NotFound('There is no such upload, or its time is over: open a new one.');
      }
      const { tenant } = wish;
      const others = open.get(tenant) ?? 0;
      if (others >= maxUploads) throw tooMany();
      open.set(tenant, others + 1);
      try {
        return await takeUpload(deps, wish, context.req.raw);
      } finally {
        const left = (open.get(tenant) ?? 1) - 1;
        if (left === 0) open.delete(tenant);
        else open.set(tenant, left);
      }
    }),
  );
  app.all('/uploads/:token', (context) =>
    answered(deps, context.req.raw, async () => {
      throw new AppError('method_not_allowed', 'Allowed here: PUT.');
    }),
  );
  return app;
}

async function takeUpload(
  { blobs }: Pick<Deps, 'blobs'>,
  wish: UploadWish,
  request: Request,
): Promise<Reply> {
  if (request.headers.get('content-type') !== wish.contentType) {
    throw new AppError('unsupported_media_type', `Send it as Content-Type: ${wish.contentType}.`);
  }
  const { bytes, digest } = await readBody(request, wish.sizeBytes);
  if (digest !== wish.digest) {
    throw new InvalidRequest('These are not the bytes that the upload was opened for.', [
      { pointer: '', detail: `their SHA-256 is ${digest}` },
    ]);
  }
  if ((await blobs.put(wish, bytes)) === 'present') {
    throw new PreconditionFailed('It is there already: go on with its digest.');
  }
  return { status: 200, headers: {}, body: null };
}

/** Exactly so many bytes, with their SHA-256. */
async function readBody(
  request: Request,
  sizeBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly digest: string }> {
  const hash = createHash('sha256');
  const chunks: Uint8Array[] = [];
  let size = 0;
  const announced = request.headers.get('content-length');
  if (Number(announced ?? 0) > sizeBytes) throw tooLarge(sizeBytes);
  try {
    for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > sizeBytes) throw tooLarge(sizeBytes);
      hash.update(chunk);
      chunks.push(chunk);
    }
  } catch (error) {
    // A caller that goes away is not a failure of ours.
    throw error instanceof AppError ? error : new InvalidRequest('The body broke off.');
  }
  if (size < sizeBytes) {
    throw new InvalidRequest(`The upload was opened for ${sizeBytes} bytes, not ${size}.`);
  }
  return { bytes: Buffer.concat(chunks, size), digest: hash.digest('hex') };
}

function tooLarge(sizeBytes: number): TooLarge {
  return new TooLarge(`The upload was opened for ${sizeBytes} bytes, and no more.`);
}

function tooMany(): AppError {
  return new AppError('too_many_requests', 'Too many uploads at a time: wait for some to end.', {
    retryable: true,
    retryAfterS: 1,
  });
}

async function answered(
  { ids, log, metrics }: UploadDeps,
  request: Request,
  run: () => Promise<Reply>,
): Promise<Response> {
  const startedMs = performance.now();
  const requestId = ids.next();
  const trace = requestTrace((name) => request.headers.get(name));
  const about = () => ({ traceId: trace().traceId, operation: 'putUpload' });
  const reply = await run().catch((error: unknown) => problemReply(error, requestId, log, about));
  metrics.requestDone('putUpload', reply.status, performance.now() - startedMs);
  return new Response(request.method === 'HEAD' ? null : (reply.body as string | null), {
    status: reply.status,
    headers: {
      ...reply.headers,
      ...(reply.status === 405 ? { allow: 'PUT' } : {}),
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
  });
}
