import type * as z from 'zod';
import type { Operation, RequestBody } from '../contract/operation.ts';
import type { Origin } from '../core/journal/journal-entry.ts';
import type { Principal } from '../core/identity/principal.ts';
import type { TraceContext } from '../core/tracing/trace-context.ts';
import type { RelayedRequest } from './relayed-request.ts';
import type { Reply } from './reply.ts';

type BodyOf<B> = B extends { kind: 'bytes' }
  ? { readonly contentType: string; readonly bytes: Uint8Array }
  : B extends { kind: 'json'; schema: infer S extends z.ZodType; optional: true }
    ? z.output<S> | undefined
    : B extends { kind: 'json'; schema: infer S extends z.ZodType }
      ? z.output<S>
      : undefined;

/** One call, with everything about it parsed and the caller known. */
export interface Call<O extends Operation = Operation> {
  /** Null only where the operation needs no token. */
  readonly principal: O['scope'] extends null ? Principal | null : Principal;
  readonly requestId: string;
  /** Where the call stands in a trace. */
  readonly trace: TraceContext;
  readonly params: z.output<O['params']>;
  readonly query: z.output<O['query']>;
  readonly headers: z.output<O['headers']>;
  /** Aborts when the caller goes away before it is answered, where the server can tell. */
  readonly signal: AbortSignal;
  readonly body: O extends { body: infer B extends RequestBody } ? BodyOf<B> : undefined;
  /** What is handed on, of an operation that does so. */
  readonly relayed: O extends { relayed: true } ? RelayedRequest : undefined;
}

export interface Route {
  readonly operation: Operation;
  readonly handle: (call: Call) => Promise<Reply>;
}

/** Binds an operation of the contract to the code that answers it. */
export function route<const O extends Operation>(
  operation: O,
  handle: (call: Call<O>) => Promise<Reply>,
): Route {
  // The app parses every call by the very schemas that `Call<O>` is inferred from.
  return { operation, handle };
}

/** Who the journal names for a call. */
export function originOf(
  call: Pick<Call, 'requestId' | 'trace'> & { readonly principal: Principal },
): Origin {
  const { tenant, actor } = call.principal;
  return {
    tenant,
    actor,
    requestId: call.requestId,
    // Few changes tell of it.
    get traceparent() {
      return call.trace.traceparent;
    },
  };
}
