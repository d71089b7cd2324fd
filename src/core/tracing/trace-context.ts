import { randomFillSync } from 'node:crypto';

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const xrayRoot = /(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})\s*(?:;|$)/;
const xraySampled = /(?:^|;)\s*Sampled=1\s*(?:;|$)/;
/** Longer, a header of X-Ray holds what is not looked at. */
const maxXrayChars = 512;

/** The headers that make a call part of a trace. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate: string | null;
  readonly traceId: string;
}

type Random = (bytes: number) => string;

/**
 * Carries a trace on, with a new span for this hop; where there is none, or none that is sound, the
 * one of X-Ray goes on, where that is given; else one begins
 * (https://www.w3.org/TR/trace-context/, 3.2 and 4).
 */
export function continueTrace(
  given: string | undefined,
  state: string | undefined,
  {
    xray,
    random = randomHex,
  }: { readonly xray?: string | undefined; readonly random?: Random } = {},
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
    const sampled = (Number.parseInt(flags, 16) & 1) === 1;
    return hop(traceId, sampled, state ?? null, random);
  }
  return ofXray(xray, random) ?? hop(random(16), true, null, random);
}

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function ofXray(header: string | undefined, random: Random): TraceContext | null {
  if (header === undefined || header.length > maxXrayChars) return null;
  const [, seconds = '', rest = ''] = xrayRoot.exec(header) ?? [];
  const traceId = seconds + rest;
  if (traceId === '' || /^0+$/.test(traceId)) return null;
  return hop(traceId, xraySampled.test(header), null, random);
}

function hop(
  traceId: string,
  sampled: boolean,
  tracestate: string | null,
  random: Random,
): TraceContext {
  const flags = sampled ? '01' : '00';
  return { traceparent: `00-${traceId}-${random(8)}-${flags}`, tracestate, traceId };
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
