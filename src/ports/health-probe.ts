/** What came of one probe. */
export interface ProbeResult {
  /** It answered 2xx. */
  readonly ok: boolean;
  /**
   * For people, one line of at most 200 characters: `answered 200`. The same for the same outcome,
   * and never what the other side sent beyond its status.
   */
  readonly detail: string;
  /** Whole ms. */
  readonly tookMs: number;
}

/**
 * Asks a service whether it is well: one GET on a connection of its own. Redirects are not
 * followed, and of the body a few KiB are read at the most.
 *
 * It connects to no address that it must not, whatever a name leads to at that moment, and sends
 * nothing in the clear over the internet.
 */
export interface HealthProbe {
  /**
   * Ends after `timeoutMs` at the latest, or soon after `signal` aborts; then the result means
   * nothing. Never rejects: what the service or the network does is a result.
   */
  probe(url: string, timeoutMs: number, signal?: AbortSignal): Promise<ProbeResult>;
  /**
   * Why a URL can never be probed from here, as far as that is plain without asking anybody, put as
   * what it must be: `must not lead to a private network`. Null: nothing speaks against it yet.
   */
  refusal(url: string): string | null;
}
