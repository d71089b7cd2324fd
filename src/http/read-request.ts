import type * as z from 'zod';
import type { Operation, RequestBody } from '../contract/operation.ts';
import { AppError, type ErrorDetail, InvalidRequest, TooLarge } from '../core/errors/app-error.ts';
import { decodeUtf8 } from '../core/packages/decode-utf8.ts';
import { parseStrictJson } from '../core/values/strict-json.ts';

const maxJsonBytes = 64 * 1024;
const maxJsonDepth = 32;

/** Parses what a schema speaks of, and names every finding by its place. */
export function parsePart<S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: string,
): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap((issue) => closestIssues(issue)).slice(0, 20);
  const details = issues.map((issue): ErrorDetail => ({
    pointer: place === 'body' ? pointerTo(issue.path) : `${place}:${issue.path.join('.')}`,
    detail: issue.message,
  }));
  throw new InvalidRequest(`The ${place} of the request is not as it should be.`, details);
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of what may have several forms: all that keeps it from the form that it comes closest to. */
function closestIssues(issue: z.core.$ZodIssue, within: readonly PropertyKey[] = []): Issue[] {
  const path = [...within, ...issue.path];
  const [closest] =
    issue.code !== 'invalid_union'
      ? []
      : issue.errors
          .filter((issues) => !issues.some(isOfAnotherKind))
          .toSorted((a, b) => a.length - b.length);
  return closest === undefined
    ? [{ path, message: issue.message }]
    : closest.flatMap((each) => closestIssues(each, path));
}

/** Such as a number where that form is an object. */
function isOfAnotherKind({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

/** RFC 6901: the document itself is the empty pointer. */
function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Query parameters by name: each at most once, and none that the operation does not know. */
export function parseQuery(operation: Operation, url: URL): Record<string, unknown> {
  const known = Object.keys(operation.query.shape);
  const values: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    const pointer = `query:${name.slice(0, 100)}`;
    if (!known.includes(name)) {
      const detail = known.length === 0 ? 'there are none here' : `known are ${known.join(', ')}`;
      throw new InvalidRequest('Unknown query parameter.', [{ pointer, detail }]);
    }
    if (Object.hasOwn(values, name)) {
      throw new InvalidRequest('Query parameter given twice.', [
        { pointer, detail: 'give it once' },
      ]);
    }
    values[name] = value;
  }
  return parsePart(operation.query, values, 'query');
}

/** The headers that the operation speaks of. */
export function parseHeaders(operation: Operation, headers: Headers): Record<string, unknown> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(operation.headers.shape)) {
    const value = headers.get(name);
    if (value !== null) values[name] = value;
  }
  return parsePart(operation.headers, values, 'header');
}

/** The body as the operation wants it, read to its limit and no further. */
export async function parseBody(body: RequestBody | undefined, request: Request): Promise<unknown> {
  if (body === undefined) return undefined;
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    throw unsupported(`Send the body as it is, not with Content-Encoding ${encoding}.`);
  }
  const { maxBytes = maxJsonBytes } = body;
  const given = request.headers.get('content-type') ?? '';
  const contentType = given.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (body.kind === 'bytes') {
    requireType(contentType, body.contentTypes);
    return { contentType, bytes: await readBytes(request, maxBytes) };
  }
  const bytes = await readBytes(request, maxBytes);
  if (bytes.byteLength === 0 && body.optional === true) return undefined;
  requireType(contentType, ['application/json']);
  return parsePart(body.schema, parseJson(bytes), 'body');
}

function requireType(contentType: string, accepted: readonly string[]): void {
  if (accepted.includes('*') || accepted.includes(contentType)) return;
  throw unsupported(`Send one of these content types: ${accepted.join(', ')}.`);
}

function unsupported(message: string): AppError {
  return new AppError('unsupported_media_type', message);
}

function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  const parsed =
    text === undefined ? { problem: 'is not UTF-8' } : parseStrictJson(text, maxJsonDepth);
  if ('value' in parsed) return parsed.value;
  throw new InvalidRequest('The body is not acceptable JSON.', [
    { pointer: '', detail: parsed.problem },
  ]);
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new TooLarge(`The body is larger than ${maxBytes} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body as ReadableStream<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // A caller that goes away, or sends no sound HTTP, is not a failure of ours.
    throw error instanceof AppError ? error : new InvalidRequest('The body broke off.');
  }
  return Buffer.concat(chunks, size);
}
