import type {
  ByteStream,
  ServiceAnswer,
  ServiceOutcome,
  ServiceRequest,
} from '../../src/ports/service-caller.ts';

/** A GET, unless `change` says otherwise. */
export function serviceRequest(
  origin: string,
  change: Partial<ServiceRequest> = {},
): ServiceRequest {
  return {
    origin,
    path: '/',
    method: 'GET',
    headers: [],
    body: null,
    answerWithinMs: 5000,
    idleMs: 5000,
    ...change,
  };
}

/** The answer that there is. */
export function answerOf(outcome: ServiceOutcome): ServiceAnswer {
  if (outcome.kind === 'answered') return outcome.answer;
  throw new Error(`${outcome.failure}: ${outcome.reason}`);
}

export async function textOf(body: ByteStream | Uint8Array | null): Promise<string> {
  if (body === null) return '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** These texts, one after the other. */
export function streamed(
  texts: Iterable<string | Uint8Array>,
  sizeBytes: number | null = null,
): ByteStream {
  return { sizeBytes, chunks: bytesOf(texts) };
}

async function* bytesOf(texts: Iterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? Buffer.from(text) : text;
}
