import { continueTrace, type TraceContext } from '../core/tracing/trace-context.ts';

/** The trace that a call belongs to: asked for, it is found; until then, it costs nothing. */
export type RequestTrace = () => TraceContext;

/** What a platform that traces by itself says of the call: a header of X-Ray. */
export type PlatformTrace = () => string | undefined;

/**
 * The caller's trace, by its `traceparent`; without a sound one, that of the platform; else a new one.
 * The same at every time of asking.
 */
export function requestTrace(
  header: (name: string) => string | null | undefined,
  platform?: PlatformTrace,
): RequestTrace {
  let found: TraceContext | undefined;
  return () => {
    found ??= continueTrace(header('traceparent') ?? undefined, header('tracestate') ?? undefined, {
      xray: platform === undefined ? undefined : (platform() ?? header('x-amzn-trace-id') ?? ''),
    });
    return found;
  };
}
