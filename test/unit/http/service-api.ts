import { expect } from 'vitest';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import { problemsOf } from '../../../src/contract/problems.ts';
import type { Deps } from '../../../src/core/deps.ts';
import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import { roleScopes, type Scope } from '../../../src/core/identity/scopes.ts';
import { recordsPart } from '../../../src/core/registry/own-parts.ts';
import { createApp } from '../../../src/http/app.ts';
import { changeRoutes } from '../../../src/http/handlers/change-handlers.ts';
import { namedRuleRoutes } from '../../../src/http/handlers/named-rule-handlers.ts';
import { ruleRoutes } from '../../../src/http/handlers/rule-handlers.ts';
import { serviceRoutes } from '../../../src/http/handlers/service-handlers.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { ServiceDesk } from '../registry/service-desk.ts';

const callers: Readonly<Record<string, readonly [tenant: string, scopes: readonly Scope[]]>> = {
  ...Object.fromEntries(
    Object.entries(roleScopes).map(([role, held]) => [role, ['demo', held] as const]),
  ),
  stranger: ['other', roleScopes.admin],
};

/** Nothing here rolls anything out. */
const workflows: Deps['workflows'] = {
  start: async () => undefined,
  signal: async () => 'gone',
  status: async () => 'running',
};

interface Asked {
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Services and single rules over HTTP; every answer is one that its operation declares. */
export class ServiceApi extends ServiceDesk {
  readonly #routes = [
    ...serviceRoutes({ ...this.deps, parts: { records: recordsPart(this.deps) } }),
    ...namedRuleRoutes(this.deps),
    ...ruleRoutes(this.deps),
    ...changeRoutes({ ...this.deps, workflows }),
  ];
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
    this.#routes,
  );

  async ask(who: string, call: string, asked: Asked = {}) {
    const [method = '', path = ''] = call.split(' ');
    const { json, body = JSON.stringify(json), type = 'application/json' } = asked;
    const answer = await this.#app.request(path, {
      method,
      headers: { authorization: `Bearer ${who}`, 'content-type': type, ...asked.headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    const told = { status: answer.status, headers: answer.headers, text };
    const parsed = this.#checked(method, path, told) as Readonly<Record<string, unknown>>;
    return { ...told, body: parsed };
  }

  /** Asks, and answers the body of what was done. */
  async done(who: string, call: string, asked?: Asked) {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBeLessThan(300);
    return told.body;
  }

  /** Asks, and answers the findings of a refusal with this status. */
  async refused(status: number, who: string, call: string, asked?: Asked) {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBe(status);
    const errors = (told.body['errors'] ?? []) as readonly { readonly pointer: string }[];
    return errors.map(({ pointer }) => pointer);
  }

  /** Puts a rule in force, and answers its snapshot. */
  async publish(id: string, fields: Readonly<Record<string, unknown>>, channel = 'prod') {
    const published = await this.done('editor', `POST /api/policies/${id}/publish`, {
      body: ruleYaml(id, fields),
      type: 'application/yaml',
      headers: { 'x-channel': channel },
    });
    return String(published['snapshot']);
  }

  #checked(
    method: string,
    path: string,
    { status, headers, text }: { status: number; headers: Headers; text: string },
  ): unknown {
    const parts = (path.split('?', 1)[0] ?? '').split('/');
    const operation = this.#routes
      .map((each) => each.operation)
      .find(
        (each) =>
          each.method === method.toLowerCase() &&
          each.path.split('/').length === parts.length &&
          each.path.split('/').every((part, at) => part.startsWith('{') || part === parts[at]),
      );
    if (operation === undefined) throw new Error(`there is no operation ${method} ${path}`);
    if (status >= 400) {
      const problem = problemSchema.parse(JSON.parse(text));
      expect([...problemsOf(operation)]).toContain(problem.code);
      return problem;
    }
    const shape = operation.responses[status];
    expect(shape, `${operation.id} answered ${status}`).toBeDefined();
    for (const name of ['ETag', 'Location']) {
      if (name in (shape?.headers ?? {})) expect(headers.get(name)).not.toBeNull();
    }
    if (shape?.schema === undefined || text === '') return {};
    const body: unknown = JSON.parse(text);
    expect(shape.schema.parse(body)).toEqual(body);
    return body;
  }
}
