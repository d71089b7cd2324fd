import type { GatewayDesk } from './gateway-desk.ts';

/** One call of the load. */
export interface LoadCall {
  readonly method: 'GET' | 'POST';
  readonly endedMs: number;
  readonly tookMs: number;
  /** 0: no answer. */
  readonly status: number;
  /** Which target answered, as it says itself. */
  readonly by: string;
}

export interface GatewayLoad {
  readonly calls: readonly LoadCall[];
  /** Resolves when a call has ended as `is` says, after this moment. */
  until(is: (call: LoadCall) => boolean, timeoutMs: number): Promise<LoadCall>;
  stop(): Promise<void>;
}

/** Callers that call one after the other, half of them with POST, until they are stopped. */
export function startGatewayLoad(desk: GatewayDesk, path: string, callers: number): GatewayLoad {
  const calls: LoadCall[] = [];
  const waiting = new Set<(call: LoadCall) => void>();
  const over = new AbortController();
  const once = async (method: LoadCall['method']): Promise<void> => {
    const startedMs = performance.now();
    const answer = await desk
      .call(path, { method })
      .then(async (response) => ({ status: response.status, by: await response.text() }))
      .catch(() => ({ status: 0, by: '' }));
    const endedMs = performance.now();
    const call = { method, endedMs, tookMs: endedMs - startedMs, ...answer };
    calls.push(call);
    for (const look of waiting) look(call);
  };
  const running = Array.from({ length: callers }, async (_, i) => {
    while (!over.signal.aborted) {
      await once(i % 2 === 0 ? 'GET' : 'POST');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
  return {
    calls,
    until: (is, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('not in time')), timeoutMs);
        const look = (call: LoadCall): void => {
          if (!is(call)) return;
          waiting.delete(look);
          clearTimeout(timer);
          resolve(call);
        };
        waiting.add(look);
      }),
    async stop() {
      over.abort();
      await Promise.all(running);
    },
  };
}
