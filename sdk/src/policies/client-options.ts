import type { Auth } from '../api/token-source.ts';
import { HmsError } from '../api/errors.ts';
import type { EventListener } from './client-events.ts';
import type { VerifyRule } from './rule-candidate.ts';

export interface ClientOptions {
  /** Of the service, such as `https://hms.agency.example`. */
  readonly baseUrl: string;
  /** OAuth 2.0 client credentials, or a function that gives an access token. */
  readonly auth?: Auth;
  /** `prod` unless given. */
  readonly channel?: 'dev' | 'test' | 'prod';
  /** For whom the rules are, where the caller may speak for others (scope `act:subject`). */
  readonly subject?: string;
  /** Of that subject. */
  readonly region?: string;
  /** Only these; all of the channel unless given. */
  readonly policies?: readonly string[];
  /** How the client hears of changes at once: `sse` unless given. `none`: by polling alone. */
  readonly push?: 'sse' | 'websocket' | 'none';
  /** Between two polls: 30 000 unless given. While push works, at least a minute. */
  readonly pollMs?: number;
  /** A rule that was confirmed longer ago is not given any more: no limit unless given. */
  readonly maxStaleMs?: number;
  /** How long `get` waits for the first rules: 10 000 unless given. */
  readonly readyTimeoutMs?: number;
  /** Whether the service is told what is run here: yes unless given. */
  readonly receipts?: boolean;
  /** Throws for a rule that must not be run. */
  readonly verify?: VerifyRule;
  /** Hears of all that the client does, from the beginning on. */
  readonly onEvent?: EventListener;
  /** Closes the client. */
  readonly signal?: AbortSignal;
  readonly fetch?: typeof fetch;
  /** Whether the process lives on while the client is all that is left: yes unless given. */
  readonly keepAlive?: boolean;
}

export type Settings = Required<
  Pick<ClientOptions, 'channel' | 'push' | 'pollMs' | 'maxStaleMs' | 'readyTimeoutMs' | 'receipts'>
> & { readonly keepsAlive: boolean; readonly only: ReadonlySet<string> | undefined };

/** The options with every default in its place. Errors: `HmsError` that says what is wrong. */
export function settingsOf(options: ClientOptions): Settings {
  const { channel = 'prod', push = 'sse', receipts = true, keepAlive = true, policies } = options;
  const { pollMs = 30_000, maxStaleMs = Infinity, readyTimeoutMs = 10_000 } = options;
  for (const [name, value, known] of [
    ['push', push, ['sse', 'websocket', 'none']],
    ['channel', channel, ['dev', 'test', 'prod']],
  ] as const) {
    if ((known as readonly string[]).includes(value)) continue;
    throw new HmsError(`${name} is "${value}": give ${known.join(' or ')}.`);
  }
  for (const [name, value] of Object.entries({ pollMs, maxStaleMs, readyTimeoutMs })) {
    if (!(value > 0))
      throw new HmsError(`${name} is ${String(value)}: give a number above 0, in ms.`);
  }
  // Browsers have it only in pages that came over TLS, or from this machine.
  if ((globalThis.crypto as Partial<typeof crypto> | undefined)?.subtle === undefined) {
    throw new HmsError('There is no crypto.subtle to check rules with: serve the page over https.');
  }
  const only = policies === undefined ? undefined : new Set(policies);
  const keepsAlive = keepAlive;
  return { channel, push, receipts, keepsAlive, pollMs, maxStaleMs, readyTimeoutMs, only };
}
