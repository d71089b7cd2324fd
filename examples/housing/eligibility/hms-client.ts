import { Refused } from '../json-service.ts';

export interface HmsAccess {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What the service asks of HMS, with its own token. */
export interface HmsClient {
  /** The value in force. Errors: `Refused` (503), when HMS does not tell. */
  readonly rule: (name: string) => Promise<unknown>;
  /** Resolves when HMS has it for certain. Errors: `Refused` (503). */
  readonly publish: (type: string, data: unknown) => Promise<void>;
}

interface KnownRule {
  readonly etag: string;
  readonly value: unknown;
}

const timeoutMs = 5000;
/** A token is not used in its last seconds: it may end on the way. */
const spareMs = 30_000;

export function hmsClient(access: HmsAccess): HmsClient {
  const known = new Map<string, KnownRule>();
  let token: { readonly text: string; readonly untilMs: number } | undefined;

  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    token = token !== undefined && Date.now() < token.untilMs ? token : await takeToken(access);
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token.text}`);
    const response = await send(access.url + path, { ...init, headers });
    // The keys of the issuer were changed, say.
    if (response.status === 401) token = undefined;
    return response;
  }

  return {
    async rule(name) {
      const last = known.get(name);
      const headers = last === undefined ? {} : { 'if-none-match': last.etag };
      const response = await call(`/rules/${name}`, { headers });
      if (response.status === 304 && last !== undefined) return last.value;
      const { value } = (await bodyOf(response)) as { readonly value: unknown };
      known.set(name, { value, etag: response.headers.get('etag') ?? '' });
      return value;
    },
    async publish(type, data) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ type, data });
      await bodyOf(await call('/events', { method: 'POST', headers, body }));
    },
  };
}

async function takeToken({ url, clientId, clientSecret }: HmsAccess) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  });
  const answer = await bodyOf(await send(`${url}/oauth2/token`, { method: 'POST', body }));
  const { access_token: text, expires_in: livesS } = answer as {
    readonly access_token: string;
    readonly expires_in: number;
  };
  return { text, untilMs: Date.now() + livesS * 1000 - spareMs };
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw new Refused(503, 'HMS does not answer. Try again.', { cause: error });
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) {
    const cause = new Error(`${response.status} ${text}`);
    throw new Refused(503, 'HMS did not do what it was asked. Try again.', { cause });
  }
  return JSON.parse(text);
}
