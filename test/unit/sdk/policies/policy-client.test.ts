import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePolicies } from '../../../support/fake-policies.ts';
import { pass, settle, stopTime, until } from '../../../support/fake-time.ts';
import { testClient } from '../../../support/sdk-clients.ts';
import { checkRule } from '../../../../sdk/src/policies/check-rule.ts';
import type { RuleCopy } from '../../../../sdk/src/policies/rule-copy.ts';
import { HmsError } from '../../../../sdk/src/api/errors.ts';
import {
  NotReadyError,
  StaleError,
  UnknownPolicyError,
} from '../../../../sdk/src/policies/policy-errors.ts';
import type { PolicyChanged } from '../../../../sdk/src/policies/client-events.ts';

let service: FakePolicies;
beforeEach(() => {
  service = new FakePolicies();
  stopTime();
});
afterEach(() => vi.useRealTimers());

describe('reading', () => {
  it('gives the rules in force, frozen all through', async () => {
    service.publish('pm25', { limit: 25, zones: [{ name: 'a' }] });
    const policies = testClient(service);
    await policies.ready();
    const rule = policies.getSync<{ limit: number; zones: { name: string }[] }>('pm25');
    expect(rule).toEqual({ id: 'pm25', version: '1.0.0', limit: 25, zones: [{ name: 'a' }] });
    expect(Object.isFrozen(rule.zones[0])).toBe(true);
    expect(await policies.get('pm25')).toBe(rule);
    expect(policies.said('ready')).toEqual([
      { type: 'ready', source: 'service', message: '1 policy is here, from the service.' },
    ]);
  });

  it('waits for the first rules, and no longer than it is told', async () => {
    service.lie = () => Response.json({ title: 'down' }, { status: 503 });
    const policies = testClient(service, { readyTimeoutMs: 5000 });
    const got = policies.get('pm25');
    const refusal = expect(got).rejects.toThrow(NotReadyError);
    await pass(5100);
    await refusal;
    await expect(got).rejects.toThrow(/no rules from http:\/\/hms\.test yet.*answered 503/);
    expect(() => policies.getSync('pm25')).toThrow(NotReadyError);
    expect(policies.getSync('pm25', { limit: 35 })).toEqual({ limit: 35 });
    service.lie = () => undefined;
    service.publish('pm25', { limit: 25 });
    await pass(9000);
    expect(await policies.get('pm25')).toMatchObject({ limit: 25 });
  });

  it('does not wait for a service that hangs when there is a copy', async () => {
    service.lie = () => new Promise(() => undefined);
    const json = '{"id":"pm25","version":"1.0.0","limit":35}';
    const named = { id: 'pm25', snapshot: 's', version: '1.0.0', gen: 1, bodyDigest: null };
    const rule = await checkRule(named, new TextEncoder().encode(json));
    const current = { snapshot: 's', version: '1.0.0', value: rule.value };
    const copy: RuleCopy = {
      load: async () => ({
        etag: null,
        checkedAtMs: Date.now() - 1000,
        entries: [{ id: 'pm25', gen: 1, current, next: null, trial: null }],
        rules: [[named, rule]],
      }),
      save: () => undefined,
      confirm: () => undefined,
      isBroken: false,
      settled: async () => undefined,
    };
    const policies = testClient(service, {}, () => copy);
    await pass(2900);
    expect(policies.status().ready).toBe(false);
    await pass(200);
    await policies.ready();
    expect(policies.getSync('pm25')).toMatchObject({ limit: 35 });
    expect(policies.events.map(({ type }) => type)).toEqual(['ready', 'stale']);
  });

  it('gives up waiting with the signal of who waits, and goes on for the others', async () => {
    service.lie = () => Response.json({}, { status: 500 });
    const policies = testClient(service);
    const giving = new AbortController();
    const mine = expect(policies.get('pm25', { signal: giving.signal })).rejects.toThrow('enough');
    const ready = policies.ready();
    giving.abort(new Error('enough'));
    await mine;
    await expect(policies.ready({ signal: giving.signal })).rejects.toThrow('enough');
    service.lie = () => undefined;
    await pass(4000);
    await ready;
  });

  it('knows what the channel does not have', async () => {
    service.publish('pm25', { limit: 25 });
    const policies = testClient(service);
    await policies.ready();
    expect(() => policies.getSync('pm10')).toThrow(UnknownPolicyError);
    await expect(policies.get('pm10')).rejects.toThrow('The policy pm10 is not known in prod.');
    expect(await policies.get('pm10', { fallback: 1 })).toBe(1);
    expect(policies.describe('pm10')).toBeUndefined();
  });

  it('takes only the policies that are asked for, and says which are not there', async () => {
    for (const id of ['a', 'b', 'c']) service.publish(id, {});
    const policies = testClient(service, { policies: ['a', 'x'] });
    await policies.ready();
    expect(service.count('GET /api/policies/')).toBe(1);
    expect(policies.status()).toMatchObject({ policies: 1, complete: false });
    expect(policies.said('absent')).toMatchObject([{ id: 'x' }]);
    expect(() => policies.getSync('b')).toThrow(UnknownPolicyError);
  });

  it('reads a manifest of several pages as one, and again when it moves in between', async () => {
    service.pageLength = 2;
    for (const id of ['a', 'b', 'c', 'd', 'e']) service.publish(id, {});
    let moves = 1;
    service.lie = ({ name }) => {
      if (name.includes('cursor=2') && moves-- > 0) service.publish('e', { moved: true });
      return undefined;
    };
    const policies = testClient(service);
    await policies.ready();
    expect(policies.status().policies).toBe(5);
    expect(policies.getSync('e')).toMatchObject({ moved: true });
    expect(service.polls).toBe(2 + 3);
  });

  it('asks for whom it is told, with the token', async () => {
    service.publish('pm25', {});
    await testClient(service, { subject: 'bot-7', region: 'NCR' }).ready();
    const [poll] = service.calls;
    expect(poll?.name).toBe('GET /api/manifest?channel=prod');
    expect(poll?.headers.get('authorization')).toBe('Bearer a-token');
    expect(poll?.headers.get('x-subject')).toBe('bot-7');
    expect(poll?.headers.get('x-region')).toBe('NCR');
  });

  it('refuses options that make no sense', () => {
    const cases = [
      { pollMs: 0 },
      { maxStaleMs: Number.NaN },
      { push: 'carrier' },
      { channel: 'x' },
    ];
    for (const options of cases) {
      expect(() => testClient(service, options as object)).toThrow(HmsError);
    }
  });
});

describe('polling', () => {
  it('costs one conditional request, at an interval with jitter', async () => {
    service.publish('pm25', {});
    const policies = testClient(service, { pollMs: 10_000 });
    await policies.ready();
    await pass(8900);
    expect(service.polls).toBe(1);
    await pass(2200);
    expect(service.polls).toBe(2);
    expect(service.calls.at(-1)?.headers.get('if-none-match')).toBe('"prod-1"');
    expect(service.count('GET /api/policies/')).toBe(1);
  });

  it('tells of a change once it is in force, and fetches no rule twice', async () => {
    const first = service.publish('pm25', { limit: 35 });
    const policies = testClient(service, { pollMs: 1000 });
    const changes: PolicyChanged[] = [];
    const seen: unknown[] = [];
    policies.onChange((change) => {
      changes.push(change);
      seen.push(policies.getSync<{ limit: number }>('pm25').limit);
    });
    await policies.ready();
    const second = service.publish('pm25', { limit: 25 });
    await pass(1200);
    expect(seen).toEqual([25]);
    expect(changes).toEqual([
      { id: 'pm25', snapshot: second, version: '2.0.0', previous: first, reason: 'updated' },
    ]);
    const back = { snapshot: first, version: '1.0.0', bodyDigest: null };
    service.put({ ...service.items.get('pm25')!, gen: 3, ...back });
    await pass(1200);
    expect(changes.at(-1)).toMatchObject({ snapshot: first, previous: second });
    expect(policies.getSync('pm25')).toMatchObject({ limit: 35 });
    expect(service.count('GET /api/policies/')).toBe(2);
  });

  it('stops telling who does not want to hear, and survives who throws', async () => {
    service.publish('pm25', {});
    const policies = testClient(service, { pollMs: 1000 });
    await policies.ready();
    const heard: string[] = [];
    const stop = policies.onChange(() => heard.push('first'));
    policies.onChange(() => {
      throw new Error('a bad listener');
    });
    policies.onChange(async () => Promise.reject(new Error('a worse one')));
    policies.onChange(() => heard.push('last'));
    policies.onEvent(() => {
      throw new Error('not even this one');
    });
    stop();
    service.publish('pm25', { limit: 1 });
    await pass(1200);
    expect(heard).toEqual(['last']);
    const blamed = policies.said('listener-failed').map(({ error }) => String(error));
    expect(blamed).toContain('Error: a bad listener');
    expect(blamed).toContain('Error: a worse one');
  });

  it('says that there is no rule any more when the first one is taken back', async () => {
    const snapshot = service.publish('pm25', {});
    const policies = testClient(service, { pollMs: 1000 });
    await policies.ready();
    const changes: PolicyChanged[] = [];
    policies.onChange((change) => changes.push(change));
    const none = { etag: null, snapshot: null, version: null, bodyDigest: null };
    service.put({ ...service.items.get('pm25')!, gen: 2, ...none });
    await pass(1200);
    expect(changes).toMatchObject([{ snapshot: null, previous: snapshot, reason: 'withdrawn' }]);
    expect(() => policies.getSync('pm25')).toThrow('has no rule in force yet');
  });
});

describe('age', () => {
  it('is told: stale after three intervals without an answer, and recovered', async () => {
    service.publish('pm25', { limit: 25 });
    const policies = testClient(service, { pollMs: 10_000 });
    await policies.ready();
    const { checkedAt } = policies.status();
    service.lie = () => Response.json({}, { status: 500 });
    await pass(29_000);
    expect(policies.describe('pm25')?.stale).toBe(false);
    expect(policies.said('stale')).toEqual([]);
    await pass(40_000);
    expect(policies.describe('pm25')).toMatchObject({ stale: true, checkedAt });
    expect(policies.said('stale')).toHaveLength(1);
    const failed = policies.said('poll-failed');
    expect(failed.map(({ failures }) => failures)).toEqual(failed.map((_, at) => at + 1));
    const waits = failed.map(({ retryInMs }) => retryInMs);
    expect(waits.length).toBeGreaterThan(4);
    expect(waits[0]).toBeLessThanOrEqual(1000);
    expect(waits.at(-1)).toBeGreaterThan(8000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(policies.getSync('pm25')).toMatchObject({ limit: 25 });
    service.lie = () => undefined;
    await pass(31_000);
    expect(policies.said('recovered')).toHaveLength(1);
    expect(policies.status()).toMatchObject({ stale: false, error: undefined });
  });

  it('ends what may be given, unless there is a fallback', async () => {
    service.publish('pm25', { limit: 25 });
    const policies = testClient(service, { pollMs: 10_000, maxStaleMs: 60_000 });
    await policies.ready();
    expect(policies.getSync('pm25')).toMatchObject({ limit: 25 });
    service.lie = () => Response.json({}, { status: 500 });
    await pass(61_000);
    expect(() => policies.getSync('pm25')).toThrow(StaleError);
    await expect(policies.get('pm25')).rejects.toThrow('last confirmed it at 2026-11-20T18:00:00');
    expect(policies.getSync('pm25', 'the default')).toBe('the default');
    service.lie = () => undefined;
    await pass(31_000);
    expect(policies.getSync('pm25')).toMatchObject({ limit: 25 });
  });
});

describe('closing', () => {
  it('leaves no timer, and rejects who waits', async () => {
    service.lie = () => new Promise(() => undefined);
    const policies = testClient(service, { push: 'sse', receipts: true });
    const waiting = expect(policies.ready()).rejects.toThrow('The client is closed.');
    const got = expect(policies.get('pm25')).rejects.toThrow('The client is closed.');
    await settle();
    await policies.close();
    await waiting;
    await got;
    expect(vi.getTimerCount()).toBe(0);
    expect(policies.status().closed).toBe(true);
  });

  it('goes on giving the rules that are here; by its signal, and more than once', async () => {
    service.publish('pm25', { limit: 25 });
    const closing = new AbortController();
    const policies = testClient(service, { signal: closing.signal, push: 'sse', receipts: true });
    await policies.ready();
    await until(() => policies.status().push === 'up');
    closing.abort();
    await policies.close();
    await policies.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(service.streams.size).toBe(0);
    expect(policies.getSync('pm25')).toMatchObject({ limit: 25 });
    const { polls } = service;
    service.publish('pm25', { limit: 1 });
    await pass(100_000);
    expect(service.polls).toBe(polls);
  });

  it('is done at the end of a block', async () => {
    service.publish('pm25', {});
    {
      await using policies = testClient(service);
      await policies.ready();
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
