import { expect } from 'vitest';
import type { Deps } from '../../../src/core/deps.ts';
import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import type { Principal } from '../../../src/core/identity/principal.ts';
import { roleScopes, type Scope } from '../../../src/core/identity/scopes.ts';
import { createApp } from '../../../src/http/app.ts';
import { changeRoutes } from '../../../src/http/handlers/change-handlers.ts';
import { graphRoutes } from '../../../src/http/handlers/graph-handlers.ts';
import { jobRoutes } from '../../../src/http/handlers/job-handlers.ts';
import { queryRoutes } from '../../../src/http/handlers/query-handlers.ts';
import { reportRoutes } from '../../../src/http/handlers/report-handlers.ts';
import { rolloutRoutes } from '../../../src/http/handlers/rollout-handlers.ts';
import { ruleRoutes } from '../../../src/http/handlers/rule-handlers.ts';
import { streamRoutes } from '../../../src/http/handlers/stream-handlers.ts';
import { workerRoutes } from '../../../src/http/handlers/worker-handlers.ts';
import type { LeaseDeps } from '../../../src/core/jobs/lease-jobs.ts';
import type { WorkerTable } from '../../../src/core/jobs/submit-job.ts';
import type { Json } from '../../../src/core/values/json.ts';
import type { RecordKey } from '../../../src/ports/record-store.ts';
import { checkResponse } from '../../support/check-response.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { ruleYaml } from '../../support/policy-documents.ts';

type Who = 'admin' | 'editor' | 'approver' | 'service' | 'monitor' | 'reader' | 'stranger';

const monitor: readonly Scope[] = ['read:policy', 'write:report', 'act:subject'];
const callers: Readonly<Record<Who, readonly [tenant: string, scopes: readonly Scope[]]>> = {
  admin: ['demo', roleScopes.admin],
  editor: ['demo', roleScopes.editor],
  approver: ['demo', roleScopes.approver],
  service: ['demo', roleScopes.service],
  monitor: ['demo', monitor],
  reader: ['demo', ['read:policy']],
  stranger: ['other', roleScopes.admin],
};

export interface Asked {
  readonly json?: unknown;
  /** Sent as it is, as `type`. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborts when the caller goes away. */
  readonly signal?: AbortSignal;
}

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of an answer in JSON, parsed; else an empty object. */
  readonly body: Readonly<Record<string, unknown>>;
}

type ApiDeps = CoreDeps &
  Pick<Deps, 'workflows' | 'secrets' | 'verifier'> &
  Pick<LeaseDeps, 'workers' | 'vet'>;

/** The API over records in memory. Every answer is held against the contract. */
export class ApiDesk {
  readonly deps: ApiDeps;
  /** The processes that were started, by name. */
  readonly started: string[] = [];
  readonly #app: ReturnType<typeof createApp>;

  constructor(given: Partial<CoreDeps> = {}, workers: WorkerTable = new Map()) {
    this.deps = {
      ...coreDeps(given),
      workers,
      vet: async () => ({ verdict: 'allowed' }),
      secrets: memorySecrets(),
      verifier: { verify: async (token) => this.principal(token) },
      workflows: {
        start: async (name) => void this.started.push(name),
        signal: async () => 'gone',
        status: async () => 'running',
      },
    };
    this.#app = createApp(this.deps, [
      ...ruleRoutes(this.deps),
      ...queryRoutes(this.deps),
      ...changeRoutes(this.deps),
      ...rolloutRoutes(this.deps),
      ...reportRoutes(this.deps),
      ...graphRoutes(this.deps),
      ...jobRoutes(this.deps),
      ...workerRoutes(this.deps),
      ...streamRoutes(this.deps, { lifeMs: 60_000, heartbeatMs: 15_000 }),
    ]);
  }

  /** Whom a token stands for: it is the name itself. */
  principal(who: string): Principal {
    const found = Object.entries(callers).find(([name]) => name === who)?.[1];
    if (found === undefined) throw new Unauthenticated('Who is that?');
    const [tenant, scopes] = found;
    const region = who === 'reader' ? 'NCR' : undefined;
    const expiresAtMs = this.deps.clock.nowMs() + 3_600_000;
    return { tenant, actor: who, scopes: new Set(scopes), subject: who, region, expiresAtMs };
  }

  async ask(who: Who, call: `${string} /${string}`, asked: Asked = {}): Promise<Told> {
    const response = await this.open(who, call, asked);
    const [method = '', path = ''] = call.split(' ');
    const bytes = Buffer.from(await response.arrayBuffer());
    const { status, headers } = response;
    checkResponse({ method, path }, { status, headers, bytes });
    const text = bytes.toString();
    const isJson = /json/.test(headers.get('content-type') ?? '');
    return { status, headers, text, body: isJson ? (JSON.parse(text) as Told['body']) : {} };
  }

  /** The same, and its body is left to the test: that of a stream. */
  async open(who: Who, call: string, asked: Asked = {}): Promise<Response> {
    const [method = '', path = ''] = call.split(' ');
    const { json, body = JSON.stringify(json), type = 'application/json', signal } = asked;
    const headers = { authorization: `Bearer ${who}`, 'content-type': type, ...asked.headers };
    return this.#app.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Asks, and answers the body of what was done. */
  async done(who: Who, call: `${string} /${string}`, asked?: Asked): Promise<Told['body']> {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBeLessThan(300);
    return told.body;
  }

  /** Asks, and answers the findings of a refusal with this status. */
  async refused(status: number, who: Who, call: `${string} /${string}`, asked?: Asked) {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBe(status);
    const errors = (told.body['errors'] ?? []) as readonly { readonly pointer: string }[];
    return errors.map(({ pointer }) => pointer);
  }

  /** Stores a rule, or, with a channel, puts it in force; answers its snapshot. */
  async rule(id: string, version: string, channel?: string): Promise<string> {
    const call = `POST /api/policies/${id}/${channel === undefined ? 'snapshots' : 'publish'}`;
    const body = await this.done('editor', call as `POST /${string}`, {
      body: ruleYaml(id, { version }),
      type: 'application/yaml',
      ...(channel === undefined ? {} : { headers: { 'x-channel': channel } }),
    });
    return String(body['snapshot']);
  }

  /** Makes records as no call can make them. */
  async put(key: RecordKey, value: unknown): Promise<void> {
    const held = await this.deps.records.get(key);
    const write = {
      kind: 'put',
      key,
      value: value as Json,
      expect: held?.rev ?? 'absent',
    } as const;
    expect(await this.deps.records.commit([write], this.deps.ids.next())).toBe('committed');
  }
}
