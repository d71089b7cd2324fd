import type { Hono } from 'hono';
import { expect } from 'vitest';
import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import type { Principal } from '../../../src/core/identity/principal.ts';
import type { Scope } from '../../../src/core/identity/scopes.ts';
import { checkResponse } from '../../support/check-response.ts';

/** Who calls, by the name that is also the token. */
export type Callers<Who extends string> = Readonly<
  Record<Who, readonly [tenant: string, scopes: readonly Scope[]]>
>;

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
  readonly bytes: Buffer;
  readonly text: string;
  /** Of an answer in JSON, parsed; else an empty object. */
  readonly body: Readonly<Record<string, unknown>>;
}

type MethodAndPath = `${string} /${string}`;

/** Whom a token stands for: it is the name itself. */
export function callerOf(callers: Callers<string>, who: string, expiresAtMs = Infinity): Principal {
  const found = Object.hasOwn(callers, who) ? callers[who] : undefined;
  if (found === undefined) throw new Unauthenticated('Who is that?');
  const [tenant, scopes] = found;
  const known = { tenant, actor: who, scopes: new Set(scopes), subject: who };
  return { ...known, region: undefined, expiresAtMs };
}

/** Takes the tokens of these callers. */
export function verifierOf(callers: Callers<string>) {
  return { verify: async (token: string) => callerOf(callers, token) };
}

/** Asks an app by method and path. Every answer is held against the contract. */
export class AskedApp<Who extends string> {
  readonly #app: () => Hono;
  readonly #type: string;

  /** `type`: of a body that is not JSON. */
  constructor(app: () => Hono, type = 'application/json') {
    this.#app = app;
    this.#type = type;
  }

  readonly ask = async (who: Who, call: MethodAndPath, asked: Asked = {}): Promise<Told> => {
    const response = await this.open(who, call, asked);
    const [method = '', path = ''] = call.split(' ');
    const bytes = Buffer.from(await response.arrayBuffer());
    const { status, headers } = response;
    checkResponse({ method, path }, { status, headers, bytes });
    const text = bytes.toString();
    const isJson = /json/.test(headers.get('content-type') ?? '');
    const body = isJson && text !== '' ? (JSON.parse(text) as Told['body']) : {};
    return { status, headers, bytes, text, body };
  };

  /** The same, and its body is left to the test: that of a stream. */
  readonly open = async (who: Who, call: string, asked: Asked = {}): Promise<Response> => {
    const [method = '', path = ''] = call.split(' ');
    const { json, body = JSON.stringify(json), signal } = asked;
    const type = asked.type ?? (json === undefined ? this.#type : 'application/json');
    return this.#app().request(path, {
      method,
      headers: { authorization: `Bearer ${who}`, 'content-type': type, ...asked.headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  };

  /** Asks, and answers the body of what was done. */
  readonly done = async (who: Who, call: MethodAndPath, asked?: Asked): Promise<Told['body']> => {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBeLessThan(300);
    return told.body;
  };

  /** Asks, and answers the findings of a refusal with this status. */
  readonly refused = async (
    status: number,
    who: Who,
    call: MethodAndPath,
    asked?: Asked,
  ): Promise<string[]> => {
    const told = await this.ask(who, call, asked);
    expect(told.status, `${call}: ${told.text}`).toBe(status);
    const errors = (told.body['errors'] ?? []) as readonly { readonly pointer: string }[];
    return errors.map(({ pointer }) => pointer);
  };
}
