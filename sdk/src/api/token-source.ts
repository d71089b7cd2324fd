import { NoAnswerError, TokenError } from './errors.ts';
import { readBounded } from './read-bounded.ts';

/** OAuth 2.0 client credentials (RFC 6749, 4.4), or whatever gives an access token. */
export type Auth =
  | {
      readonly clientId: string;
      readonly clientSecret: string;
      readonly tokenUrl: string;
      /** Scopes to ask for, with spaces between; else all that the client may have. */
      readonly scope?: string;
    }
  | ((signal?: AbortSignal) => string | Promise<string>);

export interface TokenSource {
  /** A token that is good for a while yet. One request at a time, however many ask. */
  readonly token: () => Promise<string>;
  /** The service does not take this token: the next one is a new one. */
  readonly refuse: (token: string) => void;
}

interface Held {
  readonly token: string;
  readonly goodUntilMs: number;
}

const timeoutMs = 10_000;
const maxAnswerBytes = 64 * 1024;
/** Before its end, so that a call on its way does not come too late. */
const marginMs = 30_000;

/** Errors of `token`: `TokenError` when the client is refused, `NoAnswerError` when nobody answers. */
export function tokenSource(auth: Auth, fetchIt: typeof fetch): TokenSource {
  if (typeof auth === 'function') return { token: async () => auth(), refuse: () => undefined };
  let held: Held | undefined;
  let asking: Promise<Held> | undefined;
  return {
    async token() {
      if (held !== undefined && held.goodUntilMs > Date.now()) return held.token;
      asking ??= ask(auth, fetchIt).finally(() => {
        asking = undefined;
      });
      held = await asking;
      return held.token;
    },
    refuse(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

async function ask(auth: Exclude<Auth, () => unknown>, fetchIt: typeof fetch): Promise<Held> {
  const { clientId, clientSecret, tokenUrl, scope } = auth;
  const askedAtMs = Date.now();
  const response = await fetchIt(tokenUrl, {
    method: 'POST',
    // As RFC 6749 wants servers to take it; both form-encoded first (2.3.1).
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`,
      accept: 'application/json',
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope === undefined ? {} : { scope }),
    }),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw new NoAnswerError(`No answer from ${tokenUrl}.`, error);
  });
  const answer = parsed(await readBounded(response, maxAnswerBytes));
  const { access_token: token, expires_in: seconds = 300 } = answer;
  if (response.ok && typeof token === 'string') {
    const lifeMs = Number(seconds) * 1000;
    return { token, goodUntilMs: askedAtMs + Math.max(lifeMs - marginMs, lifeMs / 2) };
  }
  const { error, error_description: said = error } = answer;
  const why = typeof said === 'string' ? said : `status ${response.status}`;
  if (response.status >= 500) throw new NoAnswerError(`${tokenUrl} failed: ${why}`);
  throw new TokenError(`${tokenUrl} gives ${clientId} no token: ${why}`);
}

interface TokenAnswer {
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
  readonly error?: unknown;
  readonly error_description?: unknown;
}

function parsed(bytes: Uint8Array): TokenAnswer {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as TokenAnswer | null;
    return value ?? {};
  } catch {
    return {};
  }
}
