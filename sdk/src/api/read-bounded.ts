import { BadAnswerError } from './errors.ts';

/**
 * The whole body of an answer, up to `maxBytes`.
 * Errors: `BadAnswerError` when it is larger, or ends early.
 */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    // Not `for await`: browsers came to it late.
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      sizeBytes += part.value.byteLength;
      if (sizeBytes > maxBytes) {
        await reader?.cancel();
        break;
      }
      chunks.push(part.value);
    }
  } catch (error) {
    throw new BadAnswerError('The answer broke off.', error);
  }
  if (sizeBytes > maxBytes) throw new BadAnswerError(`The answer is over ${maxBytes} bytes.`);
  return joined(chunks, sizeBytes);
}

function joined(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
