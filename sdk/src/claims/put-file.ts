import type { Api } from '../api/api.ts';
import { backOffMs, sleep } from '../api/delays.ts';
import { HmsError, NoAnswerError } from '../api/errors.ts';
import { sha256Name } from '../policies/sha256.ts';
import type { OpenedUpload } from '../wire/claim.ts';

const tries = 3;
const firstDelayMs = 500;
const timeoutMs = 120_000;

/**
 * Puts a file past the API to where it is kept, and answers the name that it is filed by. The same
 * bytes again are there already. Errors: `ProblemError`, `NoAnswerError`, `HmsError`.
 */
export async function putFile(
  api: Api,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<string> {
  const name = await sha256Name(bytes);
  const { upload, file } = await api.json<OpenedUpload>({
    method: 'POST',
    path: '/claims/uploads',
    json: { sizeBytes: bytes.byteLength, sha256: name.slice('sha256:'.length) },
    idempotent: true,
    signal,
  });
  for (let tried = 1; ; tried++) {
    const status = await put(upload, bytes, signal);
    // 412: it is there already.
    if (status === 412 || (status >= 200 && status < 300)) return file;
    const mayPass = status === 0 || status === 429 || status >= 500;
    if (!mayPass) throw new HmsError(`The upload was refused: ${status}.`);
    if (tried === tries) throw new NoAnswerError(`The upload failed: ${status || 'no answer'}.`);
    await sleep(backOffMs(tried, firstDelayMs), signal);
  }
}

/** 0: no answer. */
async function put(
  { method, url, headers }: OpenedUpload['upload'],
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: bytes as Uint8Array<ArrayBuffer>,
      redirect: 'error',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    signal?.throwIfAborted();
    return 0;
  }
}
