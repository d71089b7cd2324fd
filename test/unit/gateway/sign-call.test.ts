import * as fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyCall } from '../../../sdk/template/verify-call.ts';
import { newSigningSecret } from '../../../src/core/events/signing-secret.ts';
import { type HmacKey, hmacKey } from '../../../src/core/gateway/hmac.ts';
import { parseServicePath } from '../../../src/core/gateway/service-path.ts';
import { callKeyOf, signCall, type SignedCall } from '../../../src/core/gateway/sign-call.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const nowS = () => Math.floor(Date.now() / 1000);

function someCall(target: string, change: Partial<SignedCall> = {}): SignedCall {
  return {
    timestampS: nowS(),
    requestId: 'request-1',
    method: 'GET',
    tenant: 'demo',
    actor: 'demo-service',
    subject: 'maya%20f',
    ...parseServicePath(target),
    ...change,
  };
}

function headersOf(call: SignedCall, keys = [callKeyOf(secret)]): Record<string, string> {
  return {
    'x-request-id': call.requestId,
    'x-hms-tenant': call.tenant,
    'x-hms-actor': call.actor,
    'x-hms-subject': call.subject,
    ...Object.fromEntries(signCall(keys, call)),
  };
}

/** As the service of the scaffold gets it. */
function received(call: SignedCall, change: Partial<SignedCall> = {}, keys?: HmacKey[]): Request {
  const headers = headersOf(call, keys);
  const got = { ...call, ...change };
  const told = {
    'x-request-id': got.requestId,
    'x-hms-tenant': got.tenant,
    'x-hms-actor': got.actor,
    'x-hms-subject': got.subject,
    'x-hms-timestamp': String(got.timestampS),
  };
  const url = `http://service${got.path || '/'}${got.query}`;
  return new Request(url, { method: got.method, headers: { ...headers, ...told } });
}

/** What the gateway lets through. */
const targets = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom(...Array.from('aZ09._~!$&()*+,;=:@-'), '%20', '%C3%a4', '/b'),
    }),
    fc.string({
      unit: fc.constantFrom(...Array.from('ab%=&+;/?"\'<>{}|\\^`~'), '%20', '%2f', '%FF'),
    }),
  )
  .map(([path, query]) => `/${path.replace(/^\/+/, '')}${query === '' ? '' : `?${query}`}`)
  .filter((target) => {
    try {
      return parseServicePath(target) !== undefined;
    } catch {
      return false;
    }
  });

describe('a signed call', () => {
  it('is what the service of the scaffold takes, whatever is asked for', () => {
    fc.assert(
      fc.property(targets, fc.constantFrom('GET', 'POST', 'HEAD'), (target, method) => {
        const call = someCall(target, { method });
        expect(verifyCall(secret, received(call)), target).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['its escapes', '/a%7eb/ä', '/a~b/%C3%A4'],
    ['the order of its query', '/x?b=2&a=1&b=1', '/x?a=1&b=2&b=1'],
    ['how its query is written', "/x?a=b c&d&e='", '/x?a=b+c&d=&e=%27'],
  ])('stays itself when a server on the way changes %s', (_, given, seen) => {
    const call = someCall(new URL(given, 'http://x').href.slice('http://x'.length));
    const url = new URL(seen, 'http://x');
    const { pathname: path, search: query } = url;
    expect(verifyCall(secret, received(call, { path, query }))).toBe(true);
  });

  const call = someCall('/check/a%2Cb?to=maya&to=ravi');
  it.each<[string, Partial<SignedCall>]>([
    ['moment', { timestampS: call.timestampS - 1 }],
    ['request id', { requestId: 'request-2' }],
    ['method', { method: 'DELETE' }],
    ['path', { path: '/check/a%2Cc' }],
    ['path, which ends elsewhere', { path: '/check/a%2Cb/' }],
    ['query', { query: '?to=ravi&to=maya' }],
    ['query, with one thing more', { query: '?to=maya&to=ravi&x' }],
    ['tenant', { tenant: 'other' }],
    ['actor', { actor: 'demo-editor' }],
    ['subject', { subject: 'ravi' }],
    ['lines', { actor: 'maya%20f', subject: 'demo-service' }],
  ])('is none with another %s', (_, change) => {
    expect(verifyCall(secret, received(call))).toBe(true);
    expect(verifyCall(secret, received(call, change))).toBe(false);
  });

  it('is none by the secret of another service, or by the key that events are signed with', () => {
    expect(verifyCall(newSigningSecret(), received(call))).toBe(false);
    const eventKey = hmacKey(Buffer.alloc(32, 7));
    expect(callKeyOf(secret)).not.toEqual(eventKey);
    expect(verifyCall(secret, received(call, {}, [eventKey]))).toBe(false);
  });

  it('has a signature by each key that counts, and any of them will do', () => {
    const next = newSigningSecret();
    const request = () => received(call, {}, [callKeyOf(next), callKeyOf(secret)]);
    expect(verifyCall(secret, request())).toBe(true);
    expect(verifyCall(next, request())).toBe(true);
    expect(verifyCall(newSigningSecret(), request())).toBe(false);
  });

  it('counts for five minutes, whichever way the clocks differ', () => {
    for (const [ageS, counts] of [
      [299, true],
      [301, false],
      [-299, true],
      [-301, false],
    ] as const) {
      const then = someCall('/x', { timestampS: nowS() - ageS });
      expect(verifyCall(secret, received(then)), `${ageS} s`).toBe(counts);
    }
  });

  it('is these lines, by a key of its own', () => {
    const known = someCall("/a'b/?q=1+2&a", { timestampS: 1_700_000_000 });
    const text = '1700000000\nrequest-1\nGET\n/a%27b/\na=&q=1%202\ndemo\ndemo-service\nmaya%20f';
    const key = createHmac('sha256', Buffer.alloc(32, 7)).update('hms-call-v1').digest();
    const signature = createHmac('sha256', key).update(text).digest('base64');
    expect(signCall([callKeyOf(secret)], known)).toEqual([
      ['x-hms-timestamp', '1700000000'],
      ['x-hms-signature', `v1,${signature}`],
    ]);
    expect(signCall([], known)).toEqual([]);
  });
});

const python = spawnSync('python3', ['--version']).status === 0 ? 'python3' : undefined;

it.skipIf(python === undefined)('a service in Python checks it as docs/services.md says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/services.md'), 'utf8');
  const [, code = ''] = /```python\n([^]*?)```/.exec(page) ?? [];
  const signed = ['/', '/check/a%2Cb?to=maya&to=ravi', "/x'y?b=%7e&a&c=1+2=3&q=100%"].map(
    (target) => someCall(target),
  );
  const cases = [
    ...signed.map((each) => [secret, 'GET', `${each.path}${each.query}`, headersOf(each)]),
    ...signed.map((each) => [secret, 'PUT', `${each.path}${each.query}`, headersOf(each)]),
    [newSigningSecret(), 'GET', '/', headersOf(signed[0]!)],
  ];
  const script = `${code}
import json, sys
print(json.dumps([is_from_gateway(*case) for case in json.load(sys.stdin)]))`;
  const ran = spawnSync(String(python), ['-c', script], { input: JSON.stringify(cases) });
  expect(ran.stderr.toString()).toBe('');
  expect(JSON.parse(ran.stdout.toString())).toEqual([true, true, true, false, false, false, false]);
});
