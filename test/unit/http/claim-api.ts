import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { signedUploadGate } from '../../../src/adapters/local/signed-upload-gate.ts';
import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import { roleScopes, type Scope } from '../../../src/core/identity/scopes.ts';
import { createApp } from '../../../src/http/app.ts';
import { claimRoutes } from '../../../src/http/handlers/claim-handlers.ts';
import { workerRoutes } from '../../../src/http/handlers/worker-handlers.ts';
import { createUploadApp } from '../../../src/http/upload-route.ts';
import { checkResponse } from '../../support/check-response.ts';
import { coreDeps } from '../../support/core-deps.ts';

const callers: Readonly<Record<string, readonly [tenant: string, scopes: readonly Scope[]]>> = {
  ravi: ['demo', ['write:job', 'read:job']],
  portal: ['demo', ['write:job', 'read:job', 'act:subject']],
  reviewer: ['demo', ['work:job', 'read:job']],
  writer: ['demo', ['write:job']],
  reader: ['demo', roleScopes.approver],
  stranger: ['other', roleScopes.service],
};

interface Asked {
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** `application/json` with `json`, else `application/pdf`. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Claims over HTTP, with who reviews them and where files are put. Every answer is a declared one. */
export class ClaimApi {
  readonly deps = coreDeps();
  readonly #gate = signedUploadGate({
    url: 'http://127.0.0.1',
    key: randomBytes(32),
    clock: this.deps.clock,
  });
  readonly #app = createApp(
    {
      ...this.deps,
      verifier: {
        verify: async (token) => {
          const found = callers[token];
          if (found === undefined) throw new Unauthenticated('Who is that?');
          const [tenant, scopes] = found;
          const known = { tenant, actor: token, scopes: new Set(scopes), subject: token };
          return { ...known, region: undefined, expiresAtMs: Infinity };
        },
      },
    },
    [
      ...claimRoutes({ ...this.deps, uploads: this.#gate }),
      ...workerRoutes({
        ...this.deps,
        workers: new Map(),
        vet: async () => ({ verdict: 'allowed' }),
      }),
    ],
  ).route('/', createUploadApp({ ...this.deps, wishOf: this.#gate.wishOf }));

  async ask(who: string, call: string, { json, type, headers, ...asked }: Asked = {}) {
    const [method = '', path = ''] = call.split(' ');
    const sent = json === undefined ? asked.body : JSON.stringify(json);
    const contentType = type ?? (json === undefined ? 'application/pdf' : 'application/json');
    const response = await this.#app.request(path, {
      method,
      headers: { authorization: `Bearer ${who}`, 'content-type': contentType, ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const told = { status: response.status, headers: response.headers, bytes };
    checkResponse({ method, path }, told);
    const isJson = /json/.test(told.headers.get('content-type') ?? '');
    const body: unknown = isJson ? JSON.parse(bytes.toString()) : {};
    return { ...told, body: body as Readonly<Record<string, unknown>> };
  }

  /** Asks, and answers the findings of a refusal with this status. */
  async refused(status: number, who: string, call: string, asked?: Asked): Promise<string[]> {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.bytes.toString()}`).toBe(status);
    const errors = (told.body['errors'] ?? []) as readonly { readonly pointer: string }[];
    return errors.map(({ pointer }) => pointer);
  }

  /** Puts a file where the answer of `POST /claims/uploads` says. No token is sent. */
  async put(opened: Readonly<Record<string, unknown>>, bytes: Uint8Array<ArrayBuffer>) {
    const { method, url, headers } = opened['upload'] as {
      method: string;
      url: string;
      headers: Record<string, string>;
    };
    return this.#app.request(url, { method, headers, body: bytes });
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
