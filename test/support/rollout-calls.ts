import { expect } from 'vitest';
import type { Service } from './service.ts';
import { clientFor, type ServiceClient } from './service-client.ts';
import { settled } from './settled.ts';

/** What `GET /api/runs/{run}` answers, as far as tests look at it. */
export interface RunPage {
  readonly run: number;
  readonly status: string;
  readonly policies: readonly {
    readonly id: string;
    readonly snapshot: string;
    readonly replaces: { readonly snapshot: string } | null;
  }[];
  readonly stages: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string | null;
    readonly startedAt: string | null;
    readonly endedAt: string | null;
  }[];
  readonly bucketing: { readonly salt: string; readonly weight: number } | null;
  readonly simulation: { readonly report: string | null } | null;
  readonly verdict: { readonly kind: string; readonly method: string } | null;
  readonly outcome: string | null;
  readonly ticket: string | null;
  readonly endedAt: string | null;
}

type Role = 'admin' | 'editor' | 'approver' | 'reader';

const pauseMs = 150;
const patienceMs = 150_000;

/** The calls about rollouts, by those who may make them. Each expects that it is done. */
export class RolloutCalls {
  readonly service: Service;
  readonly #clients: Readonly<Record<Role, ServiceClient>>;

  private constructor(service: Service, clients: Readonly<Record<Role, ServiceClient>>) {
    this.service = service;
    this.#clients = clients;
  }

  static async of(service: Service): Promise<RolloutCalls> {
    const [admin, editor, approver, reader] = await Promise.all([
      clientFor(service, 'demo-admin'),
      clientFor(service, 'demo-editor'),
      clientFor(service, 'demo-approver'),
      clientFor(service, 'demo-service'),
    ]);
    return new RolloutCalls(service, { admin, editor, approver, reader });
  }

  async #send<T>(
    role: Role,
    method: string,
    path: string,
    body: unknown,
    expected: readonly number[],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const isBytes = typeof body === 'string' || body instanceof Uint8Array;
    const type =
      typeof body === 'string'
        ? 'application/yaml'
        : isBytes
          ? 'application/zip'
          : 'application/json';
    const sent = isBytes ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body);
    const answer = await this.#clients[role].fetch(method, path, {
      headers: body === undefined ? headers : { ...headers, 'content-type': type },
      ...(body === undefined ? {} : { body: sent }),
    });
    expect(expected, `${method} ${path}: ${answer.text}`).toContain(answer.status);
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return (isJson ? JSON.parse(answer.text) : answer.text) as T;
  }

  async putPartner(name: string | undefined, partner: object): Promise<void> {
    await this.#send('admin', 'PUT', `/api/partners/${name}`, partner, [200, 201]);
  }

  /** Publishes to prod at once; answers the snapshot. */
  async publish(id: string, yaml: string): Promise<string> {
    const path = `/api/policies/${id}/publish`;
    const headers = { 'x-channel': 'prod' };
    const answer = await this.#send<{ snapshot: string }>(
      'editor',
      'POST',
      path,
      yaml,
      [201],
      headers,
    );
    return answer.snapshot;
  }

  /** Publishes to prod, and expects that a run is made of it. */
  async publishStaged(
    id: string,
    yaml: string,
  ): Promise<{ run: number; status: string; snapshot: string; waitsFor: number | null }> {
    const path = `/api/policies/${id}/publish`;
    return this.#send('editor', 'POST', path, yaml, [202], { 'x-channel': 'prod' });
  }

  async store(id: string, packed: Uint8Array): Promise<string> {
    const path = `/api/policies/${id}/snapshots`;
    return (await this.#send<{ snapshot: string }>('editor', 'POST', path, packed, [201])).snapshot;
  }

  async create(request: object, role: Role = 'editor'): Promise<number> {
    const made = await this.#send<{ run: number }>(role, 'POST', '/api/runs', request, [202]);
    return made.run;
  }

  run(run: number): Promise<RunPage> {
    return this.#send('reader', 'GET', `/api/runs/${run}`, undefined, [200]);
  }

  abort(run: number): Promise<RunPage> {
    return this.#send('editor', 'POST', `/api/runs/${run}/abort`, {}, [200]);
  }

  ticket(id: string): Promise<object> {
    return this.#send('approver', 'GET', `/api/tickets/${id}`, undefined, [200]);
  }

  async decide(id: string, decision: string, role: Role, expected: number): Promise<void> {
    await this.#send(role, 'POST', `/api/tickets/${id}/decision`, { decision }, [expected]);
  }

  async alert(policy: string, snapshot: string, fingerprint: string): Promise<void> {
    const alert = { policy, snapshot, fingerprint, severity: 'critical', message: 'smoke' };
    await this.#send('reader', 'POST', '/api/alerts', alert, [202]);
  }

  async decisions(policy: string, snapshot: string, decisions: number): Promise<void> {
    const receipt = { policy, snapshot, status: 'applied', decisions };
    await this.#send('reader', 'POST', '/api/receipts', receipt, [200]);
  }

  get(path: string): Promise<string> {
    return this.#send('reader', 'GET', path, undefined, [200]);
  }

  /** The rule that `demo-service` gets, or the one for somebody else. */
  async rule(id: string, subject?: string): Promise<{ snapshot: string }> {
    const role = subject === undefined ? 'reader' : 'admin';
    const headers: Record<string, string> = subject === undefined ? {} : { 'x-subject': subject };
    const answer = await this.#clients[role].fetch('GET', `/api/policies/${id}`, { headers });
    return { snapshot: answer.headers.get('etag')?.slice(1, -1) ?? `${answer.status}` };
  }

  async countWrong(
    id: string,
    subjects: readonly string[],
    expected: (subject: string) => string,
  ): Promise<number> {
    let wrong = 0;
    const left = subjects.values();
    const worker = async (): Promise<void> => {
      for (const subject of left) {
        if ((await this.rule(id, subject)).snapshot !== expected(subject)) wrong += 1;
      }
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    return wrong;
  }

  /** The distinct versions of these policies in one manifest. */
  async versions(ids: readonly string[]): Promise<string[]> {
    const manifest = await this.#send<{ items: { id: string; version: string }[] }>(
      'reader',
      'GET',
      '/api/manifest',
      undefined,
      [200],
    );
    const found = manifest.items.filter(({ id }) => ids.includes(id));
    expect(found).toHaveLength(ids.length);
    return [...new Set(found.map(({ version }) => version))];
  }

  settled<T>(check: () => Promise<T>): Promise<T> {
    return settled(this.service, check);
  }

  async until(run: number, wanted: (page: RunPage) => boolean): Promise<RunPage> {
    const startMs = performance.now();
    for (;;) {
      const page = await this.run(run);
      if (wanted(page)) return page;
      if (performance.now() - startMs > patienceMs || page.endedAt !== null) {
        throw new Error(`run ${run} is ${page.status}: ${page.outcome}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
