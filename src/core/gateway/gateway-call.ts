import type { ByteStream, HeaderList } from '../../ports/service-caller.ts';
import type { Principal } from '../identity/principal.ts';
import type { TraceContext } from '../tracing/trace-context.ts';

/** Where a call came from, as the server itself saw it. */
export interface CallOrigin {
  readonly address: string | undefined;
  readonly scheme: 'http' | 'https';
  /** Host and port that the caller asked for. */
  readonly host: string;
}

/** A call that somebody makes of a service. */
export interface GatewayCall {
  readonly principal: Pick<Principal, 'tenant' | 'actor' | 'subject'>;
  readonly requestId: string;
  /** Where this hop stands in the caller's trace. */
  readonly trace: TraceContext;
  /** The name of the service. */
  readonly service: string;
  /** In capitals. */
  readonly method: string;
  /** What follows the name of the service: path and query, as they came. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: HeaderList;
  readonly body: ByteStream | null;
  readonly from: CallOrigin;
  /** Aborts when the caller goes away. */
  readonly signal?: AbortSignal;
}

/** What the service answered, fit to be passed on. */
export interface GatewayAnswer {
  readonly status: number;
  /** Names in lower case, each once. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: the answer has none. A stream throws when the answer breaks off. */
  readonly body: Uint8Array | ByteStream | null;
  /** Ends the exchange, wherever it stands; needed for a stream that is not read to its end. */
  readonly discard: () => void;
}
