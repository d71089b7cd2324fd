import { randomFillSync } from 'node:crypto';

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The headers that make a call part of a trace. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate: string | null;
  readonly traceId: string;
}

/**
 * Carries a trace on, with a new span for this hop; where there is none, or none that is sound, one
 * begins (https://www.w3.org/TR/trace-context/, 3.2 and 4).
 */
export function continueTrace(
  given: string | undefined,
  state: string | undefined,
  random: (bytes: number) => string = randomHex,
): TraceContext {
  const [, version, traceId = '', parent, flags = '', more] = traceparent.exec(given ?? '') ?? [];
  const isSound =
    version !== undefined &&
    version !== 'ff' &&
    !/^0+$/.test(traceId) &&
    parent !== '0000000000000000' &&
    // Later versions may say more; of this one, it is all.
    (more === undefined || version !== '00');
  if (isSound) {
    const sampled = Number.parseInt(flags, 16) & 1;
    return {
      traceparent: `00-${traceId}-${random(8)}-0${sampled}`,
      tracestate: state ?? null,
      traceId,
    };
  }
  const begun = random(16);
  return { traceparent: `00-${begun}-${random(8)}-01`, tracestate: null, traceId: begun };
}

const pool = new Uint8Array(4096);
let poolLeft = 0;

/** A call for random bytes costs as much for many as for few. */
function randomHex(bytes: number): string {
  if (poolLeft < bytes) {
    randomFillSync(pool);
    poolLeft = pool.byteLength;
  }
  poolLeft -= bytes;
  return Buffer.from(pool.buffer, poolLeft, bytes).toString('hex');
}
