import { describe, expect, it } from 'vitest';
import { acceptedEvent, eventMessage, signingSecret } from '../../../src/contract/event-schemas.ts';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import type { Deps } from '../../../src/core/deps.ts';
import { Unauthenticated } from '../../../src/core/errors/app-error.ts';
import { roleScopes, type Scope } from '../../../src/core/identity/scopes.ts';
import { createApp } from '../../../src/http/app.ts';
import { eventRoutes, serviceSecretRoutes } from '../../../src/http/handlers/event-handlers.ts';
import { streamRoutes } from '../../../src/http/handlers/stream-handlers.ts';
import { EventDesk, submitted } from '../events/event-desk.ts';

const callers: Readonly<Record<string, readonly [tenant: string, scopes: readonly Scope[]]>> = {
  ...Object.fromEntries(
    Object.entries(roleScopes).map(([role, held]) => [role, ['demo', held] as const]),
  ),
  stranger: ['other', roleScopes.admin],
};

const event = { type: submitted, data: { voucher: 7 } };

/** Events over HTTP: a token is the name of a role. */
class EventApi extends EventDesk {
  readonly #verifier: Deps['verifier'] = {
    verify: async (token) => {
      const found = callers[token];
      if (found === undefined) throw new Unauthenticated('Who is that?');
      const [tenant, scopes] = found;
      const known = { tenant, actor: token, scopes: new Set(scopes), subject: token };
      return { ...known, region: undefined, expiresAtMs: Infinity };
    },
  };
  readonly #app = createApp({ ...this.deps, verifier: this.#verifier }, [
    ...eventRoutes(this.deps),
    ...serviceSecretRoutes({ ...this.deps, secrets: this.secrets }),
    ...streamRoutes(this.deps, { lifeMs: 60_000, heartbeatMs: 15_000 }),
  ]);

  async ask(who: string, call: string, json?: unknown, more: Record<string, string> = {}) {
    const [method = '', path = ''] = call.split(' ');
    const headers = { authorization: `Bearer ${who}`, 'content-type': 'application/json', ...more };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    return this.#app.request(path, { method, headers, ...body });
  }

  async accepted(json: unknown, more?: Record<string, string>) {
    const answer = await this.ask('service', 'POST /events', json, more);
    expect(answer.status).toBe(202);
    const body: unknown = await answer.json();
    expect(acceptedEvent.strict().parse(body)).toEqual(body);
    const { id } = body as { readonly id: string };
    return { id, replayed: answer.headers.get('idempotent-replayed') };
  }

  /** The status and code of a refusal, and where its findings are. */
  async refused(who: string, call: string, json?: unknown) {
    const answer = await this.ask(who, call, json);
    const { code, errors = [] } = problemSchema.parse(await answer.json());
    return [answer.status, code, ...errors.map(({ pointer }) => pointer)];
  }

  /** Messages as they come, each held against the contract. */
  async listen(who: string, query = '', seen?: string) {
    const headers: Record<string, string> = seen === undefined ? {} : { 'last-event-id': seen };
    const answer = await this.ask(who, `GET /api/stream/events${query}`, undefined, headers);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const messages: ReturnType<typeof messageOf>[] = [];
    const positions: string[] = [];
    void (async () => {
      for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
        const lines = Buffer.from(chunk)
          .toString()
          .matchAll(/^(id|data): (.*)$/gm);
        for (const [, name, text = ''] of lines) {
          if (name === 'id') positions.push(text);
          else messages.push(messageOf(text));
        }
      }
    })();
    await this.settle();
    return { messages, position: () => positions.at(-1) };
  }
}

function messageOf(text: string) {
  const message = eventMessage.parse(JSON.parse(text));
  expect(message).toEqual(JSON.parse(text));
  return message;
}

describe('POST /events', () => {
  it('accepts an event, once under an id or a key', async () => {
    const api = new EventApi();
    const first = await api.accepted(event);
    expect(first.replayed).toBeNull();
    const named = { ...event, id: 'voucher-7' };
    expect(await api.accepted(named)).toEqual({ id: 'voucher-7', replayed: null });
    expect(await api.accepted(named)).toEqual({ id: 'voucher-7', replayed: 'true' });
    const keyed = await api.accepted(event, { 'idempotency-key': 'k 1' });
    expect(await api.accepted(event, { 'idempotency-key': '"k 1"' })).toEqual({
      id: keyed.id,
      replayed: 'true',
    });
    expect(await api.refused('service', 'POST /events', { ...named, data: 8 })).toEqual([
      422,
      'idempotency_key_reused',
    ]);
  });

  it.each([
    [{ data: 1 }, '/type'],
    [{ type: submitted }, '/data'],
    [{ ...event, type: 'Voucher Submitted' }, '/type'],
    [{ ...event, type: 'job.completed' }, '/type'],
    [{ ...event, id: 'a/b' }, '/id'],
    [{ ...event, subject: 'a\nb' }, '/subject'],
    [{ ...event, tenant: 'other' }, ''],
  ])('refuses %j', async (json, pointer) => {
    const api = new EventApi();
    const refused = await api.refused('service', 'POST /events', json);
    expect(refused.slice(0, 2)).toEqual([400, 'invalid_request']);
    expect(String(refused[2])).toContain(pointer);
    const { messages } = await api.listen('admin', '', '-1');
    expect(messages).toEqual([]);
  });

  it('refuses data that is too large', async () => {
    const api = new EventApi();
    for (const size of [101 * 1024, 200 * 1024]) {
      const json = { ...event, data: 'x'.repeat(size) };
      expect(await api.refused('service', 'POST /events', json)).toEqual([413, 'too_large']);
    }
  });

  it('is for who may publish events', async () => {
    const api = new EventApi();
    for (const who of ['approver', 'auditor']) {
      expect(await api.refused(who, 'POST /events', event)).toEqual([403, 'forbidden']);
    }
    expect(await api.refused('nobody', 'POST /events', event)).toEqual([401, 'unauthenticated']);
    expect((await api.ask('editor', 'POST /events', event)).status).toBe(202);
  });
});

describe('GET /api/stream/events', () => {
  it('tells what is published and emitted, of one type where it is named', async () => {
    const api = new EventApi();
    const all = await api.listen('service');
    const some = await api.listen('service', '?type=voucher-paid');
    const others = await api.listen('stranger');
    const { id } = await api.accepted(event);
    await api.accepted({ ...event, type: 'voucher-paid', subject: 'VOUCHER-7' });
    await api.submit({ type: 'test.emit', data: null });
    await api.workOnce('test.emit');
    await api.clock.advance(2000);
    await api.settle();
    expect(all.messages.map(({ action }) => action).sort()).toEqual([
      'case.opened',
      'voucher-paid',
      submitted,
    ]);
    expect(all.messages.find(({ event: told }) => told === id)).toMatchObject({
      tenant: 'demo',
      subject: `event:${id}`,
      data: { voucher: 7 },
      actor: 'service',
    });
    expect(some.messages).toMatchObject([{ action: 'voucher-paid', subject: 'VOUCHER-7' }]);
    expect(others.messages).toEqual([]);
    const missed = await api.listen('service', '', all.position());
    expect(missed.messages).toEqual([]);
    const again = await api.listen('service', '', '-1');
    expect(again.messages).toHaveLength(3);
  });
});

describe('POST /services/{name}/secret', () => {
  it('answers a new key of a service that there is, to who may change it', async () => {
    const api = new EventApi();
    await api.subscribe('email');
    const call = 'POST /services/email/secret';
    const answer = await api.ask('editor', call);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { secret } = signingSecret.strict().parse(await answer.json());
    expect(await api.secrets.get({ tenant: 'demo', name: 'service/email' })).toBe(secret);
    expect(await api.refused('service', call)).toEqual([403, 'forbidden']);
    expect(await api.refused('stranger', call)).toEqual([404, 'not_found']);
  });
});
