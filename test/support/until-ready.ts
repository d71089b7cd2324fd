import { setTimeout as delay } from 'node:timers/promises';

import type { Child } from './start-child.ts';

const timeoutMs = 60_000;
const intervalMs = 50;

/** Waits until the server answers at `url`, with any status but an error of its own. */
export async function untilReady(child: Child, url: string, signal: AbortSignal): Promise<void> {
  let ended: number | string | undefined;
  void child.exited.then((outcome) => (ended = outcome));
  for (const start = performance.now(); performance.now() - start < timeoutMs;) {
    if (ended !== undefined) throw new Error(`It ended with ${ended}:\n${child.logTail()}`);
    if (await answers(url, signal)) return;
    await delay(intervalMs, undefined, { signal });
  }
  throw new Error(`No answer from ${url} in ${timeoutMs} ms:\n${child.logTail()}`);
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]),
    });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}
