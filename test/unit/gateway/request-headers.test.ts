import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../../../src/core/errors/app-error.ts';
import type { GatewayCall } from '../../../src/core/gateway/gateway-call.ts';
import { hmacKey } from '../../../src/core/gateway/hmac.ts';
import {
  type CallSigning,
  headersToService,
  requireSoundHeaders,
  timeoutOfCaller,
} from '../../../src/core/gateway/request-headers.ts';
import { continueTrace } from '../../../src/core/tracing/trace-context.ts';
import type { HeaderList } from '../../../src/ports/service-caller.ts';

const trace = continueTrace(undefined, undefined);

const unsigned: CallSigning = { keys: [], nowMs: 1000, path: '/', query: '' };

function sent(
  headers: HeaderList,
  change: Partial<GatewayCall> = {},
  signing = unsigned,
): Record<string, string> {
  const call: GatewayCall = {
    principal: { tenant: 'demo', actor: 'maya', subject: 'maya' },
    trace,
    requestId: 'r1',
    service: 'check',
    method: 'GET',
    target: '/',
    headers,
    body: null,
    from: { address: '192.0.2.1', scheme: 'https', host: 'api.example' },
    ...change,
  };
  return Object.fromEntries(headersToService(call, trace, 1500.2, signing));
}

describe('headersToService', () => {
  it.each([
    ['192.0.2.1', 'for=192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', 'for=192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', 'for="[2001:db8::1]"', '2001:db8::1'],
    [undefined, 'for=unknown', undefined],
  ])('says that %s calls, and nothing that the caller says of it', (address, node, plain) => {
    const from = { address, scheme: 'https', host: 'api.example' } as const;
    const headers = sent([['x-forwarded-for', '6.6.6.6']], { from });
    expect(headers['forwarded']).toBe(`${node};host="api.example";proto=https`);
    expect(headers['x-forwarded-for']).toBe(plain);
  });

  it('names whoever calls in visible ASCII, whatever the token says', () => {
    const subject = 'Jürgen "J" 100%\r\nx-evil: 1\ud800';
    const principal = { tenant: 'demo', actor: 'maya', subject };
    const value = sent([], { principal })['x-hms-subject'] ?? '';
    expect(value).toMatch(/^[\x21-\x7e]+$/);
    expect(decodeURIComponent(value)).toBe(subject.toWellFormed());
  });

  it('adds to the hops before', () => {
    expect(sent([['via', '1.0 proxy']])['via']).toBe('1.0 proxy, 1.1 hms-svc');
  });

  it('signs for whoever has a key, whatever the caller sent', () => {
    const given = ['x-hms-signature', 'x_hms_signature', 'X-Hms_Timestamp', 'x-hms-tenant'].map(
      (name) => [name, 'v1,forged'] as const,
    );
    const without = sent(given);
    const named = (headers: Record<string, string>) =>
      Object.keys(headers).filter((name) => /signature|timestamp/i.test(name));
    expect(named(without)).toEqual([]);
    expect(without['x-hms-tenant']).toBe('demo');
    const headers = sent(
      given,
      {},
      { ...unsigned, keys: [hmacKey(new Uint8Array(32))], nowMs: 1_700_999 },
    );
    expect(named(headers)).toEqual(['x-hms-timestamp', 'x-hms-signature']);
    expect(headers['x-hms-timestamp']).toBe('1700');
    expect(headers['x-hms-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
  });

  it('rounds the time up', () => {
    expect(sent([['x-hms-timeout-ms', '99']])['x-hms-timeout-ms']).toBe('1501');
  });
});

describe('requireSoundHeaders', () => {
  it('refuses control characters, and nothing else', () => {
    expect(() => requireSoundHeaders([['x-a', 'a\tb \xe9']])).not.toThrow();
    for (const value of ['a\0b', 'a\nb', 'a\rb', 'a\x7fb', 'ā']) {
      expect(() => requireSoundHeaders([['x-a', value]])).toThrow(InvalidRequest);
    }
  });
});

describe('timeoutOfCaller', () => {
  it('is a number of ms', () => {
    expect(timeoutOfCaller([])).toBe(Infinity);
    expect(timeoutOfCaller([['x-hms-timeout-ms', '250']])).toBe(250);
    for (const value of ['0', '-1', '1.5', '1e3', '', '9999999999', 'soon', '1, 2']) {
      expect(() => timeoutOfCaller([['x-hms-timeout-ms', value]])).toThrow(InvalidRequest);
    }
  });
});
