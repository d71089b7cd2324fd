/** Names and values as they came; a name may come several times. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Bytes that come in their own time. Read once, by one reader; no more is read than is asked for. */
export interface ByteStream {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Exactly so many bytes, where that is known. */
  readonly sizeBytes: number | null;
}

/** One HTTP request, to one address. */
export interface ServiceRequest {
  /** Scheme, host and port: `https://check.example:8443`. */
  readonly origin: string;
  /** Path and query, sent to the letter. */
  readonly path: string;
  readonly method: string;
  /** Without `Host` and all that frames the body: that is up to the caller. */
  readonly headers: HeaderList;
  readonly body: Uint8Array | ByteStream | null;
  /** Until the head of the answer is there, from now on. */
  readonly answerWithinMs: number;
  /** After that, how long there may be no byte in either direction. */
  readonly idleMs: number;
  /** Ends the exchange, also in the middle of the answer. */
  readonly signal?: AbortSignal;
}

/** The head of an answer, and what follows it. */
export interface ServiceAnswer {
  /** 200 to 599. */
  readonly status: number;
  /** At most 16 KiB and 200 of them, without line breaks. */
  readonly headers: HeaderList;
  /**
   * Null where the answer can have none. Throws `AnswerBrokeOff` when it is not whole, as far as the
   * other side said how long it is. Who leaves early ends the exchange.
   */
  readonly body: ByteStream | null;
  /** Ends the exchange; needed unless the body is read, or begun to be read. */
  readonly discard: () => void;
}

/**
 * Why there is no answer. `not_sent`: nothing of the request has left this machine, so it can be
 * sent elsewhere, whatever it asks for. `unanswered`: it may have been done. `timed_out`: the same,
 * and time is over. `cancelled`: the signal, or the body of the request broke off.
 */
export type CallFailure = 'not_sent' | 'unanswered' | 'timed_out' | 'cancelled';

export type ServiceOutcome =
  | { readonly kind: 'answered'; readonly answer: ServiceAnswer }
  | {
      readonly kind: 'failed';
      readonly failure: CallFailure;
      /** For people, one line: `no connection (ECONNREFUSED)`. Never what the other side sent. */
      readonly reason: string;
    };

/** The body of an answer ended before its end. */
export class AnswerBrokeOff extends Error {
  override readonly name = 'AnswerBrokeOff';
}

/**
 * Makes HTTP/1.1 exchanges with services. Bodies stream in both directions, with back-pressure:
 * memory is bounded, whatever is sent.
 *
 * Connections are kept for a while and used again, as many as are bounded. Each goes to an address
 * that was checked when it was made, and to no other that its name leads to later; nothing is sent
 * in the clear over the internet. Redirects are not followed. What is no sound HTTP is no answer,
 * and what a server sends beyond its answer is never taken for the next one.
 *
 * Never rejects: what the service and the network do is an outcome.
 */
export interface ServiceCaller {
  call(request: ServiceRequest): Promise<ServiceOutcome>;
}
