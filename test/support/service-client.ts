import { expect } from 'vitest';
import type * as z from 'zod';
import type { Operation } from '../../src/contract/operation.ts';
import { problemSchema } from '../../src/contract/problem-schema.ts';
import type { ErrorCode } from '../../src/core/errors/app-error.ts';
import { checkResponse, type CheckedAnswer } from './check-response.ts';
import type { ClientName, Service } from './service.ts';

export interface Answer extends CheckedAnswer {
  readonly text: string;
  readonly elapsedMs: number;
}

export interface CallInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly bytes?: Uint8Array | string;
  readonly contentType?: string;
}

type BodyOfResponse<S> = S extends { readonly schema: infer Z extends z.ZodType }
  ? z.output<Z>
  : never;

/** Of what is done at once. */
type BodyWhenDone<R> = BodyOfResponse<R[Exclude<keyof R, 202>]>;

/** What an operation answers when it does what it is asked; a 202 only where there is no other. */
export type BodyOf<O extends Operation> = [BodyWhenDone<O['responses']>] extends [never]
  ? BodyOfResponse<O['responses'][keyof O['responses']]>
  : BodyWhenDone<O['responses']>;

export interface Answered<O extends Operation> extends Answer {
  readonly body: BodyOf<O>;
}

export type Problem = z.output<typeof problemSchema>;

/** Calls a service for one client. Every answer is held against the contract. */
export interface ServiceClient {
  /** Any request at all. `path` begins with a slash and is not touched. */
  readonly fetch: (method: string, path: string, init?: RequestInit) => Promise<Answer>;
  /** Expects that it is done: 200, 201 or 304. */
  readonly call: <O extends Operation>(operation: O, input?: CallInput) => Promise<Answered<O>>;
  /** Expects that it is refused, with this code. */
  readonly refuse: (operation: Operation, input: CallInput, code: ErrorCode) => Promise<Problem>;
}

const patienceMs = 20_000;

export async function clientFor(
  service: Service,
  name: ClientName,
  scopes?: readonly string[],
): Promise<ServiceClient> {
  return serviceClient(service.baseUrl, await service.token(name, scopes));
}

/** A client with the token given; null for one without. */
export function serviceClient(baseUrl: string, token: string | null): ServiceClient {
  async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (token !== null && !headers.has('authorization')) {
      headers.set('authorization', `Bearer ${token}`);
    }
    const startedMs = performance.now();
    const response = await fetch(baseUrl + path, {
      signal: AbortSignal.timeout(patienceMs),
      redirect: 'manual',
      ...init,
      method,
      headers,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const elapsedMs = performance.now() - startedMs;
    const answer = { status: response.status, headers: response.headers, bytes };
    checkResponse({ method, path }, answer);
    return { ...answer, text: bytes.toString(), elapsedMs };
  }

  async function request(operation: Operation, input: CallInput): Promise<Answer> {
    return send(operation.method.toUpperCase(), pathOf(operation, input), bodyOf(input));
  }

  return {
    fetch: send,
    async call<O extends Operation>(operation: O, input: CallInput = {}) {
      const answer = await request(operation, input);
      expect(answer.status, answer.text).toBeLessThan(400);
      const type = answer.headers.get('content-type');
      const isJson = type === 'application/json' && answer.text !== '';
      // `checkResponse` has parsed it by the schema that its type is inferred from.
      const body = (isJson ? JSON.parse(answer.text) : undefined) as BodyOf<O>;
      return { ...answer, body };
    },
    async refuse(operation, input, code) {
      const answer = await request(operation, input);
      expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
      const problem = problemSchema.parse(JSON.parse(answer.text));
      expect(problem.code, answer.text).toBe(code);
      return problem;
    },
  };
}

/** The path of a call below the base URL, with every parameter encoded. */
export function pathOf({ path }: Operation, { params = {}, query = {} }: CallInput): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${path} needs ${name}`);
    return encodeURIComponent(value);
  });
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [name, `${value}`]);
  return pairs.length === 0 ? filled : `${filled}?${new URLSearchParams(pairs).toString()}`;
}

function bodyOf({ headers, json, bytes, contentType }: CallInput): RequestInit {
  const body = json === undefined ? bytes : JSON.stringify(json);
  const type = contentType ?? (json === undefined ? undefined : 'application/json');
  return {
    headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
    // A view of a Buffer's pool is sent as it is; its type is too wide for `fetch`.
    ...(body === undefined ? {} : { body: body as string | Uint8Array<ArrayBuffer> }),
  };
}
