import { signedUploadGate } from '../../src/adapters/local/signed-upload-gate.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import type { ApiOptions } from '../../sdk/src/api/api.ts';
import { roleScopes } from '../../src/core/identity/scopes.ts';
import { createApp } from '../../src/http/app.ts';
import { claimRoutes } from '../../src/http/handlers/claim-handlers.ts';
import { eventRoutes } from '../../src/http/handlers/event-handlers.ts';
import { jobRoutes } from '../../src/http/handlers/job-handlers.ts';
import { streamRoutes } from '../../src/http/handlers/stream-handlers.ts';
import { workerRoutes } from '../../src/http/handlers/worker-handlers.ts';
import { createUploadApp } from '../../src/http/upload-route.ts';
import type { Vet } from '../../src/core/jobs/run-attempt.ts';
import { coreDeps } from './core-deps.ts';
import { ManualClock } from './manual-clock.ts';

/** What goes wrong with a call: nobody answers, or it is done and the answer is lost. */
export type CallFault = 'down' | 'lost';

/** Of those who are more, or less, than a service. */
const scopes = { reader: ['read:job'], portal: [...roleScopes.service, 'act:subject'] };
const baseUrl = 'http://hms.test';

/** The time of the process, which tests fake as a whole: that of the client is the same. */
class ProcessClock extends ManualClock {
  override nowMs(): number {
    return systemClock.nowMs();
  }

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }
}

/**
 * The service itself in memory, reached by the `fetch` of a client, without a socket: what it does is
 * real, and what goes wrong on the way is up to the test.
 */
export class SdkDesk {
  readonly deps;
  /** Every call, as `POST /jobs`, in the order in which it was sent. */
  readonly calls: string[] = [];
  fault: (call: string) => CallFault | undefined = () => undefined;
  vet: Vet = async () => ({ verdict: 'allowed' });
  #line = new AbortController();
  readonly #app: ReturnType<typeof createApp>;

  constructor() {
    const clock = new ProcessClock();
    const uploads = signedUploadGate({ url: baseUrl, key: new Uint8Array(32), clock });
    this.deps = {
      ...coreDeps({ clock, uploads }),
      workers: new Map(),
      vet: async (asked: Parameters<Vet>[0]) => this.vet(asked),
      verifier: {
        verify: async (subject: string) => ({
          tenant: 'demo',
          actor: subject,
          subject,
          scopes: new Set(scopes[subject as keyof typeof scopes] ?? roleScopes.service),
          region: undefined,
          expiresAtMs: clock.nowMs() + 3_600_000,
        }),
      },
    };
    this.#app = createApp(this.deps, [
      ...jobRoutes(this.deps),
      ...workerRoutes(this.deps),
      ...streamRoutes(this.deps, { lifeMs: 3_600_000, heartbeatMs: 15_000 }),
      ...claimRoutes(this.deps),
      ...eventRoutes(this.deps),
    ]);
    this.#app.route('/', createUploadApp({ ...this.deps, wishOf: uploads.wishOf }));
  }

  /** How `who` reaches it. */
  connection(who = 'service'): ApiOptions {
    return { baseUrl, auth: () => who, fetch: this.fetch };
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const call = `${request.method} ${new URL(request.url).pathname}`;
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault === 'down') throw new TypeError('fetch failed');
    const response = await orAborted(this.#app.fetch(request), request.signal);
    if (fault === 'lost') throw new TypeError('fetch failed');
    const { body, status, headers } = response;
    const signal = AbortSignal.any([request.signal, this.#line.signal]);
    const cut = body?.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
    return new Response(cut ?? null, { status, headers });
  };

  /** Breaks every answer off that has not come whole, as a lost connection does. */
  cutLine(): void {
    this.#line.abort(new TypeError('terminated'));
    this.#line = new AbortController();
  }
}

/** As `fetch` does: who gives a call up does not hear of it any more. */
async function orAborted(
  answer: Response | Promise<Response>,
  signal: AbortSignal,
): Promise<Response> {
  signal.throwIfAborted();
  return Promise.race([
    answer,
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    }),
  ]);
}
