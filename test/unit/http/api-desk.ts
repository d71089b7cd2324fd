import { expect } from 'vitest';
import type { Deps } from '../../../src/core/deps.ts';
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
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { AskedApp, callerOf, type Callers } from './asked-app.ts';

type Who = 'admin' | 'editor' | 'approver' | 'service' | 'monitor' | 'reader' | 'stranger';

const monitor: readonly Scope[] = ['read:policy', 'write:report', 'act:subject'];
const callers: Callers<Who> = {
  admin: ['demo', roleScopes.admin],
  editor: ['demo', roleScopes.editor],
  approver: ['demo', roleScopes.approver],
  service: ['demo', roleScopes.service],
  monitor: ['demo', monitor],
  reader: ['demo', ['read:policy']],
  stranger: ['other', roleScopes.admin],
};

type ApiDeps = CoreDeps &
  Pick<Deps, 'workflows' | 'secrets' | 'verifier'> &
  Pick<LeaseDeps, 'workers' | 'vet'>;

/** The API over records in memory. Every answer is held against the contract. */
export class ApiDesk extends AskedApp<Who> {
  readonly deps: ApiDeps;
  /** The processes that were started, by name. */
  readonly started: string[] = [];
  readonly #app: ReturnType<typeof createApp>;

  constructor(given: Partial<CoreDeps> = {}, workers: WorkerTable = new Map()) {
    super(() => this.#app);
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
    const principal = callerOf(callers, who, this.deps.clock.nowMs() + 3_600_000);
    return who === 'reader' ? { ...principal, region: 'NCR' } : principal;
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
