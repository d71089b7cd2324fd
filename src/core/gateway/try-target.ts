import type {
  ByteStream,
  HeaderList,
  ServiceAnswer,
  ServiceCaller,
  ServiceRequest,
} from '../../ports/service-caller.ts';
import { gatewayLimits } from './gateway-limits.ts';
import { isBadStatus, type TryFailure } from './retry-rules.ts';

/** An answer, the short ones read to their end. */
export interface TriedAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array | ByteStream | null;
  readonly discard: () => void;
}

/** What came of sending a call to a target once. */
export type TryOutcome =
  | { readonly kind: 'answered'; readonly answer: TriedAnswer }
  | {
      readonly kind: 'failed';
      readonly failure: TryFailure;
      readonly reason: string;
      /** With a bad status: it can be passed on. */
      readonly answer?: TriedAnswer;
    };

/** An outcome, and whether the time that it had was the caller's, shorter than the service's own. */
export interface TimedOutcome {
  readonly outcome: TryOutcome;
  readonly isCallers: boolean;
}

/** What an outcome says of the target: nothing, where it was the caller who broke it off. */
export function judgeTarget({ outcome, isCallers }: TimedOutcome): 'well' | 'failed' | 'nothing' {
  if (outcome.kind === 'answered') return 'well';
  if (outcome.failure === 'cancelled') return 'nothing';
  return outcome.failure === 'timed_out' && isCallers ? 'nothing' : 'failed';
}

/** Sends a call once, and reads a short answer to its end unless that comes late. Never rejects. */
export async function tryTarget(
  caller: ServiceCaller,
  request: ServiceRequest,
  isLate: () => boolean,
): Promise<TryOutcome> {
  const outcome = await caller.call(request);
  if (outcome.kind === 'failed') return outcome;
  const answer = await readShort(outcome.answer, isLate);
  if (answer === 'broke_off') {
    return { kind: 'failed', failure: 'broke_off', reason: 'the answer broke off' };
  }
  if (!isBadStatus(answer.status)) return { kind: 'answered', answer };
  return { kind: 'failed', failure: 'bad_status', reason: `answered ${answer.status}`, answer };
}

async function readShort(
  answer: ServiceAnswer,
  isLate: () => boolean,
): Promise<TriedAnswer | 'broke_off'> {
  const { body } = answer;
  const sizeBytes = body?.sizeBytes ?? null;
  if (body === null || sizeBytes === null || sizeBytes > gatewayLimits.maxWholeAnswerBytes) {
    return answer;
  }
  const chunks = body.chunks[Symbol.asyncIterator]();
  const bytes = new Uint8Array(sizeBytes);
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done === true) break;
      bytes.set(value, read);
      read += value.byteLength;
      if (isLate()) return withBody(answer, sizeBytes, rest(bytes.subarray(0, read), chunks));
    }
  } catch {
    return 'broke_off';
  }
  const { status, headers } = answer;
  return { status, headers, body: bytes, discard: () => undefined };
}

function withBody(
  { status, headers, discard }: ServiceAnswer,
  sizeBytes: number,
  chunks: AsyncIterable<Uint8Array>,
): TriedAnswer {
  return { status, headers, body: { sizeBytes, chunks }, discard };
}

/** What has been read, and then what comes. */
async function* rest(
  read: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield read;
    for (;;) {
      const { done, value } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}
