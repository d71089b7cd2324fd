import { createHash, randomBytes } from 'node:crypto';
import { signedUploadGate } from '../../../src/adapters/local/signed-upload-gate.ts';
import { roleScopes } from '../../../src/core/identity/scopes.ts';
import { createApp } from '../../../src/http/app.ts';
import { claimRoutes } from '../../../src/http/handlers/claim-handlers.ts';
import { workerRoutes } from '../../../src/http/handlers/worker-handlers.ts';
import { createUploadApp } from '../../../src/http/upload-route.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { AskedApp, verifierOf } from './asked-app.ts';

const verifier = verifierOf({
  ravi: ['demo', ['write:job', 'read:job']],
  portal: ['demo', ['write:job', 'read:job', 'act:subject']],
  reviewer: ['demo', ['work:job', 'read:job']],
  writer: ['demo', ['write:job']],
  reader: ['demo', roleScopes.approver],
  stranger: ['other', roleScopes.service],
});

/** Claims over HTTP, with who reviews them and where files are put. */
export class ClaimApi {
  readonly deps = coreDeps();
  readonly #gate = signedUploadGate({
    url: 'http://127.0.0.1',
    key: randomBytes(32),
    clock: this.deps.clock,
  });
  readonly #app = createApp({ ...this.deps, verifier }, [
    ...claimRoutes({ ...this.deps, uploads: this.#gate }),
    ...workerRoutes({
      ...this.deps,
      workers: new Map(),
      vet: async () => ({ verdict: 'allowed' }),
    }),
  ]).route('/', createUploadApp({ ...this.deps, wishOf: this.#gate.wishOf }));
  readonly #asked = new AskedApp(() => this.#app, 'application/pdf');
  readonly ask = this.#asked.ask;
  readonly refused = this.#asked.refused;

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
