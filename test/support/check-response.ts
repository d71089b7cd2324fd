import { expect } from 'vitest';
import type { Operation, ResponseShape } from '../../src/contract/operation.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { problemSchema } from '../../src/contract/problem-schema.ts';
import { problems, problemsOf } from '../../src/contract/problems.ts';
import type { ErrorCode } from '../../src/core/errors/app-error.ts';

export interface CheckedRequest {
  readonly method: string;
  /** Below the base URL, as sent, with or without a query. */
  readonly path: string;
}

export interface CheckedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** What a request that is for no operation may end in. */
const unrouted: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_found',
  'method_not_allowed',
  'invalid_request',
  'too_large',
]);

/**
 * Throws unless the answer is one that the contract lets the operation give: a status it declares,
 * the content type of that status, a body of its schema with no member more, and problems as
 * problems. A failure of the service (500 and above) never passes.
 */
export function checkResponse(request: CheckedRequest, answer: CheckedAnswer): void {
  const told = `${request.method} ${request.path.slice(0, 200)} answered ${answer.status}`;
  const operation = operationOf(request);
  expect(answer.status, `${told}: ${answer.bytes.toString().slice(0, 500)}`).toBeLessThan(500);
  if (answer.status >= 400) {
    checkProblem(operation, request, answer, told);
    return;
  }
  const shape = operation?.responses[answer.status];
  if (operation === undefined || shape === undefined) {
    throw new Error(`${told}, which ${operation?.id ?? 'no operation'} does not declare`);
  }
  checkDeclaredHeaders(shape, answer, told);
  if (request.method === 'HEAD' || answer.status === 304 || answer.status === 204) {
    expect(answer.bytes.byteLength, `${told} with a body`).toBe(0);
    return;
  }
  checkBody(shape, answer, told);
}

/** The operation that a request is for, by method and path; `HEAD` is for that of `GET`. */
export function operationOf({ method, path }: CheckedRequest): Operation | undefined {
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
  const segments = (path.split('?', 1)[0] ?? '').split('/');
  return allOperations.find(
    (operation) => operation.method === wanted && fits(operation, segments),
  );
}

function fits({ path, relayed }: Operation, segments: readonly string[]): boolean {
  // What is relayed takes all the rest of the path, or nothing.
  const pattern = relayed === true ? path.split('/').slice(0, -1) : path.split('/');
  return (
    (relayed === true || pattern.length === segments.length) &&
    pattern.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]))
  );
}

function checkProblem(
  operation: Operation | undefined,
  { method, path }: CheckedRequest,
  { status, headers, bytes }: CheckedAnswer,
  told: string,
): void {
  expect(headers.get('content-type'), told).toBe('application/problem+json');
  expect(headers.get('cache-control'), told).toBe('no-store');
  if (method === 'HEAD') return;
  const body: unknown = JSON.parse(bytes.toString());
  const problem = problemSchema.parse(body);
  expect(problem, `${told} with undeclared members`).toEqual(body);
  expect(problem.status, told).toBe(status);
  expect(problem.type, told).toBe(`urn:hms:problem:${problem.code}`);
  expect({ status, title: problem.title }, told).toEqual(problems[problem.code]);
  const given = headers.get('x-request-id');
  if (given !== null) expect(problem.requestId, told).toBe(given);
  const own = operation === undefined ? [] : problemsOf(operation);
  // With a slash that was encoded, it may be the path of something else.
  const other = operation === undefined || /%(?:2f|5c)/i.test(path) ? unrouted : [];
  expect([...own, ...other], `${told}, which is not declared`).toContain(problem.code);
}

function checkDeclaredHeaders(shape: ResponseShape, answer: CheckedAnswer, told: string): void {
  for (const name of Object.keys(shape.headers ?? {})) {
    if (name !== 'ETag' && name !== 'Location') continue;
    expect(answer.headers.get(name), `${told} without ${name}`).not.toBeNull();
  }
}

function checkBody(shape: ResponseShape, { headers, bytes }: CheckedAnswer, told: string): void {
  const contentType = headers.get('content-type') ?? '';
  const type = contentType.split(';', 1)[0] ?? '';
  const types = shape.contentTypes ?? ['application/json'];
  if (!types.includes('*/*')) expect(types, told).toContain(type);
  if (type !== 'application/json' || shape.schema === undefined) return;
  const body: unknown = JSON.parse(bytes.toString());
  // A schema drops what it does not declare: so what it leaves must be all.
  expect(shape.schema.parse(body), `${told} with undeclared members`).toEqual(body);
}
