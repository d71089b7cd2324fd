import type { ServiceCaller, ServiceRequest } from '../../ports/service-caller.ts';
import type { Deps } from '../deps.ts';
import type { ServiceManifest } from '../registry/service-record.ts';
import { chooseTarget, type Chosen } from './choose-target.ts';
import type { GatewayCall } from './gateway-call.ts';
import { calledInVain, nowhereToSend } from './gateway-errors.ts';
import { gatewayLimits } from './gateway-limits.ts';
import type { HmacKey } from './hmac.ts';
import { ReplayableBody } from './replayable-body.ts';
import { headersToService } from './request-headers.ts';
import { mayRetry, retryDelayMs } from './retry-rules.ts';
import type { ServicePath } from './service-path.ts';
import type { KnownTarget, ServiceState } from './service-state.ts';
import type { TraceContext } from '../tracing/trace-context.ts';
import { type TriedAnswer, tryTarget, type TryOutcome } from './try-target.ts';

export interface SendDeps extends Pick<Deps, 'clock' | 'log'> {
  readonly caller: ServiceCaller;
}

/** A call that is ready to be sent, and what it is sent by. */
export interface CallToSend {
  readonly call: GatewayCall;
  readonly asked: ServicePath;
  readonly manifest: ServiceManifest;
  /** The URLs of the targets that are up. */
  readonly up: ReadonlySet<string>;
  readonly state: ServiceState;
  readonly body: Uint8Array | ReplayableBody | null;
  readonly trace: TraceContext;
  /** What it is signed with; none for a service without. */
  readonly keys: readonly HmacKey[];
  /** Unix ms: when the service has had its time, and when the caller has waited long enough. */
  readonly untilMs: number;
  readonly callerUntilMs: number;
}

/** An answer, whose it is, and what tells that it has been read; to be called once or more. */
export interface SentAnswer {
  readonly answer: TriedAnswer;
  readonly target: KnownTarget;
  readonly end: () => void;
}

interface Try extends Omit<SentAnswer, 'answer'> {
  readonly outcome: TryOutcome;
}

interface FailedTry extends Try {
  readonly outcome: Extract<TryOutcome, { kind: 'failed' }>;
}

/** Sends a call until it is answered, or must not be sent again. Errors: see `ServiceGateway`. */
export async function sendCall(deps: SendDeps, sent: CallToSend): Promise<SentAnswer> {
  const { state, manifest, up } = sent;
  const targets = state.targets(manifest);
  const tried = new Set<string>();
  let last: FailedTry | undefined;
  for (let tries = 1; ; tries++) {
    const chosen = await chooseTarget(targets, {
      up,
      tried,
      // It may have said when to come back.
      mayRepeat: last === undefined || !asksToWait(last),
      timeoutMs: manifest.timeoutMs,
      nowMs: deps.clock.nowMs(),
    });
    if (chosen === undefined) {
      if (last !== undefined) return lastWord(sent, last);
      throw nowhereToSend(manifest.name, shortestWaitMs(targets, up));
    }
    last?.outcome.answer?.discard();
    last?.end();
    const { outcome, target, end } = await sendOnce(deps, sent, chosen);
    if (outcome.kind === 'answered') return { answer: outcome.answer, target, end };
    last = { outcome, target, end };
    noteFailure(deps, sent, last, tries);
    tried.add(target.url);
    const delayMs = retryDelayMs({ failure: outcome.failure, tries });
    if (!isSentAgain(deps, sent, last, tries, delayMs)) return lastWord(sent, last);
    await deps.clock.sleep(delayMs, sent.call.signal);
  }
}

function isSentAgain(
  { clock }: SendDeps,
  { call, body, state, untilMs, callerUntilMs }: CallToSend,
  { outcome: { failure } }: FailedTry,
  tries: number,
  delayMs: number,
): boolean {
  const canReplay = !(body instanceof ReplayableBody) || body.canReplay;
  return (
    mayRetry({ failure, method: call.method, canReplay, tries }) &&
    call.signal?.aborted !== true &&
    clock.nowMs() + delayMs < Math.min(untilMs, callerUntilMs) &&
    state.budget.spend()
  );
}

/** Between choosing a target and sending it the call, others may have failed. */
const justOpened: TryOutcome = {
  kind: 'failed',
  failure: 'not_sent',
  reason: 'it has failed too often',
};

async function sendOnce(
  { caller, clock }: SendDeps,
  sent: CallToSend,
  { target, isProbe }: Chosen,
): Promise<Try> {
  const { state } = target;
  const nowMs = clock.nowMs();
  // What a probe finds out is for everybody: it does not hang on how long one caller waits.
  const isCallers = !isProbe && sent.callerUntilMs < sent.untilMs;
  const leftMs = Math.max(1, (isCallers ? sent.callerUntilMs : sent.untilMs) - nowMs);
  const request = requestOf(sent, target, { nowMs, leftMs, isProbe });
  const isLate = (): boolean => clock.nowMs() - nowMs >= leftMs;
  state.inFlight += 1;
  let isOpen = true;
  const end = (): void => {
    if (isOpen) state.inFlight -= 1;
    isOpen = false;
  };
  try {
    const made = await state.circuit.run(
      async () => ({ outcome: await tryTarget(caller, request, isLate), isCallers }),
      isProbe,
    );
    return { outcome: made?.outcome ?? justOpened, target, end };
  } catch (error) {
    end();
    throw error;
  }
}

interface Moment {
  readonly nowMs: number;
  readonly leftMs: number;
  readonly isProbe: boolean;
}

function requestOf(
  { call, asked, body, trace, keys }: CallToSend,
  { state }: KnownTarget,
  { nowMs, leftMs, isProbe }: Moment,
): ServiceRequest {
  const { method, signal } = call;
  return {
    origin: state.origin,
    path: `${`${state.basePath}${asked.path}` || '/'}${asked.query}`,
    method,
    headers: headersToService(call, trace, leftMs, { keys, nowMs, ...asked }),
    body: body instanceof ReplayableBody ? body.open() : body,
    answerWithinMs: leftMs,
    idleMs: gatewayLimits.idleMs,
    ...(signal === undefined || isProbe ? {} : { signal }),
  };
}

function asksToWait({ outcome }: FailedTry): boolean {
  const headers = outcome.answer?.headers ?? [];
  return headers.some(([name]) => name.toLowerCase() === 'retry-after');
}

/** The bad status that there is, as the service gave it; else what we have to say. */
function lastWord(
  { manifest, untilMs, callerUntilMs }: CallToSend,
  { outcome, target, end }: FailedTry,
): SentAnswer {
  if (outcome.answer !== undefined) return { answer: outcome.answer, target, end };
  end();
  throw calledInVain(manifest.name, outcome, callerUntilMs < untilMs);
}

function noteFailure(
  { log }: SendDeps,
  { call, manifest, state, trace, up }: CallToSend,
  { outcome, target }: FailedTry,
  tries: number,
): void {
  const { failure, reason } = outcome;
  if (failure === 'cancelled') return;
  const { requestId, principal, method } = call;
  log.warn('service call failed', {
    requestId,
    traceId: trace.traceId,
    tenant: principal.tenant,
    service: manifest.name,
    target: target.url,
    method,
    tries,
    failure,
    reason,
  });
  state.eject(target, up);
}

function shortestWaitMs(targets: readonly KnownTarget[], up: ReadonlySet<string>): number {
  const waits = targets.filter(({ url }) => up.has(url)).map(({ state }) => state.circuit.waitMs());
  return Math.min(...waits);
}
