import { expect } from 'vitest';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import { problemsOf } from '../../../src/contract/problems.ts';
import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import type { Scope } from '../../../src/core/identity/scopes.ts';
import { createApp } from '../../../src/http/app.ts';
import { caseRoutes } from '../../../src/http/handlers/case-handlers.ts';
import { referenceRoutes } from '../../../src/http/handlers/reference-handlers.ts';
import { CaseDesk } from '../cases/case-desk.ts';

const callers: Readonly<Record<string, readonly [tenant: string, scopes: readonly Scope[]]>> = {
  editor: ['demo', ['read:policy', 'write:policy']],
  reader: ['demo', ['read:policy']],
  crew: ['demo', ['read:job']],
  stranger: ['other', ['read:policy', 'read:job']],
};

interface Asked {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Cases and reference data over HTTP; every answer is one that its operation declares. */
export class PlaceDesk extends CaseDesk {
  readonly #routes = [...caseRoutes(this.deps), ...referenceRoutes(this.deps)];
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

  async ask(who: string, call: string, { body, type, headers }: Asked = {}) {
    const [method = '', path = ''] = call.split(' ');
    const answer = await this.#app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${who}`,
        'content-type': type ?? 'application/geo+json',
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    const told = { status: answer.status, headers: answer.headers, text };
    const parsed = this.#checked(method, path, told) as Readonly<Record<string, unknown>>;
    return { ...told, body: parsed };
  }

  /** Asks, and answers the findings of a refusal with this status. */
  async refused(status: number, who: string, call: string, asked?: Asked) {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBe(status);
    const errors = (told.body['errors'] ?? []) as readonly { readonly pointer: string }[];
    return errors.map(({ pointer }) => pointer);
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
    for (const name of Object.keys(shape?.headers ?? {})) expect(headers.get(name)).not.toBeNull();
    if (shape?.schema === undefined) return {};
    const body: unknown = JSON.parse(text);
    expect(shape.schema.parse(body)).toEqual(body);
    return body;
  }
}
