import { abortable } from './abortable.ts';
import { Deadline } from './deadline.ts';
import { retryAfterMs, retryDelayMs, sleep } from './delays.ts';
import { HmsError, NoAnswerError, ProblemError } from './errors.ts';
import { parseJson } from './parse-json.ts';
import { readBounded } from './read-bounded.ts';
import { type Auth, type TokenSource, tokenSource } from './token-source.ts';
import type { Problem } from '../wire/problem.ts';

export interface ApiOptions {
  /** Of the service, such as `https://hms.agency.example`; what its paths are appended to. */
  readonly baseUrl: string;
  /** Without it, only what is open can be called. */
  readonly auth?: Auth;
  /** `User-Agent`, where the platform lets one be set. */
  readonly userAgent?: string;
  readonly fetch?: typeof fetch;
}

export interface ApiRequest {
  /** `GET` unless given. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** From the root of the service, with every part encoded: `/api/manifest`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as `application/json`. */
  readonly json?: unknown;
  /** Sent as it is; its type goes into `headers`. */
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal | undefined;
  /** For one try, until the end of the answer. 30 s unless given. */
  readonly timeoutMs?: number;
  /** May be sent again when it is not known what became of it. `GET`, `HEAD`, `PUT` and `DELETE` may. */
  readonly idempotent?: boolean;
  /** More tries after the first; 2 unless given. */
  readonly retries?: number;
  /** The largest answer that is taken; 16 MiB unless given. */
  readonly maxBytes?: number;
}

export interface ApiAnswer {
  /** 2xx, or 304. */
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Every call of the service goes through here. */
export interface Api {
  readonly baseUrl: string;
  /**
   * Errors: `ProblemError` for an answer of 400 or above, `NoAnswerError`, `BadAnswerError`,
   * `TokenError`; the reason of the signal when it aborts.
   */
  readonly send: (request: ApiRequest) => Promise<ApiAnswer>;
  /** The same, and the answer as JSON. Errors: as of `send`. */
  readonly json: <T>(request: ApiRequest) => Promise<T>;
  /** An answer as it comes, such as a stream: one try, and no bound on its time or size. */
  readonly open: (request: ApiRequest) => Promise<Response>;
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 16 * 1024 * 1024;
const maxProblemBytes = 256 * 1024;
const firstDelayMs = 200;
/** Who is asked to wait for longer hears of it, instead. */
const maxWaitMs = 60_000;

export function createApi(options: ApiOptions): Api {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const fetchIt: typeof fetch = options.fetch ?? ((...args) => fetch(...args));
  const tokens = options.auth === undefined ? undefined : tokenSource(options.auth, fetchIt);
  const caller = { baseUrl, fetchIt, tokens, userAgent: options.userAgent };
  const send = async (request: ApiRequest) => sendWithRetries(caller, request);
  return {
    baseUrl,
    send,
    async json<T>(request: ApiRequest) {
      const { bytes } = await send(request);
      return parseJson(bytes) as T;
    },
    open: async (request) => openOnce(caller, request, request.signal),
  };
}

interface Caller {
  readonly baseUrl: string;
  readonly fetchIt: typeof fetch;
  readonly tokens: TokenSource | undefined;
  readonly userAgent: string | undefined;
}

async function sendWithRetries(caller: Caller, request: ApiRequest): Promise<ApiAnswer> {
  const { retries = 2, signal } = request;
  for (let tries = 1; ; tries++) {
    try {
      return await sendOnce(caller, request);
    } catch (error) {
      signal?.throwIfAborted();
      if (tries > retries || !mayRetry(request, error)) throw error;
      const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
      if (asked !== undefined && asked > maxWaitMs) throw error;
      await sleep(retryDelayMs(error, tries, firstDelayMs), signal);
    }
  }
}

function mayRetry({ method = 'GET', idempotent }: ApiRequest, error: unknown): boolean {
  if (!(error instanceof HmsError) || !error.retryable) return false;
  // Refused before anything was done.
  if (error instanceof ProblemError && (error.status === 429 || error.status === 503)) return true;
  return idempotent ?? safeMethods.has(method);
}

async function sendOnce(caller: Caller, request: ApiRequest): Promise<ApiAnswer> {
  const { timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes, signal } = request;
  const limit = new Deadline(timeoutMs, signal);
  const answer = async (): Promise<ApiAnswer> => {
    const response = await openOnce(caller, request, limit.signal);
    const bytes = await readBounded(response, maxBytes);
    return { status: response.status, headers: response.headers, bytes };
  };
  try {
    // Not even for a `fetch` that does not look at its signal is there more time.
    return await abortable(answer(), limit.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.isOver) throw error;
    throw new NoAnswerError(`${request.path} did not answer in ${timeoutMs} ms.`, error);
  } finally {
    limit.end();
  }
}

/** An answer of 2xx or 304. A token that is not taken is replaced once. */
async function openOnce(
  caller: Caller,
  request: ApiRequest,
  signal: AbortSignal | undefined,
): Promise<Response> {
  for (let renewed = false; ; renewed = true) {
    // A token that others wait for, too, is not given up with this call.
    const token = await (caller.tokens && abortable(caller.tokens.token(), signal));
    const response = await fetchResponse(caller, request, token, signal);
    if (response.ok || response.status === 304) return response;
    if (response.status === 401 && token !== undefined && !renewed) {
      caller.tokens?.refuse(token);
      await response.body?.cancel();
      continue;
    }
    throw await problemOf(response);
  }
}

async function fetchResponse(
  { baseUrl, fetchIt, userAgent }: Caller,
  request: ApiRequest,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { method = 'GET', path, json, body } = request;
  const headers = new Headers();
  if (userAgent !== undefined) headers.set('user-agent', userAgent);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (json !== undefined) headers.set('content-type', 'application/json');
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value !== undefined) headers.set(name, value);
  }
  const content = json === undefined ? body : JSON.stringify(json);
  try {
    return await fetchIt(baseUrl + path + queryOf(request), {
      method,
      headers,
      // A token must not follow to another place.
      redirect: 'error',
      ...(content === undefined ? {} : { body: content as NonNullable<RequestInit['body']> }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new NoAnswerError(`No answer from ${baseUrl}.`, error);
  }
}

function queryOf({ query = {} }: ApiRequest): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  const pairs = given.map(([name, value]): [string, string] => [name, String(value)]);
  return `?${new URLSearchParams(pairs).toString()}`;
}

/** What the service says is wrong; something like it, when what answers is not the service. */
async function problemOf(response: Response): Promise<ProblemError> {
  const { status, headers } = response;
  const wait = retryAfterMs(headers.get('retry-after'), Date.now());
  const given = await givenProblem(response);
  const problem = {
    type: 'about:blank',
    title: response.statusText,
    code: `http_${status}`,
    detail: `${new URL(response.url || 'http://unknown').host} answered ${status}.`,
    requestId: headers.get('x-request-id') ?? '',
    ...given,
    status,
  };
  return new ProblemError(problem, wait);
}

async function givenProblem(response: Response): Promise<Partial<Problem>> {
  try {
    const value = parseJson(await readBounded(response, maxProblemBytes));
    const { code, detail } = value as Partial<Record<keyof Problem, unknown>>;
    return typeof code === 'string' && typeof detail === 'string' ? (value as Problem) : {};
  } catch {
    return {};
  }
}
