import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { createService } from './service.ts';

const secret = Buffer.alloc(32, 7);
const lines: Readonly<Record<string, unknown>>[] = [];
const settings = { HMS_SERVICE_SECRET: `whsec_${secret.toString('base64')}` };
const service = createService(settings, (line) => lines.push(line));

const secondsAgo = (ageS: number): string => String(Math.floor(Date.now() / 1000) - ageS);

/** A call as the gateway makes it; `sent` is what somebody changed on the way. */
function call(path: string, { ageS = 0, sent = path, actor = 'demo-service' } = {}): Request {
  const at = secondsAgo(ageS);
  const { pathname, search } = new URL(path, 'http://service');
  const who = ['demo', 'demo-service', 'maya'];
  const text = [at, 'request-1', 'GET', pathname, search.slice(1), ...who].join('\n');
  const key = createHmac('sha256', secret).update('hms-call-v1').digest();
  const signature = createHmac('sha256', key).update(text).digest('base64');
  return new Request(new URL(sent, 'http://service'), {
    headers: {
      'x-request-id': 'request-1',
      'x-hms-tenant': 'demo',
      'x-hms-actor': actor,
      'x-hms-subject': 'maya',
      'x-hms-timestamp': at,
      'x-hms-signature': `v1,${signature}`,
    },
  });
}

async function sendEvent(body: string, { signedBody = body, ageS = 0 } = {}): Promise<number> {
  const timestamp = secondsAgo(ageS);
  const signature = createHmac('sha256', secret).update(`event-1.${timestamp}.${signedBody}`);
  const response = await service(
    new Request('http://service/events', {
      method: 'POST',
      body,
      headers: {
        'webhook-id': 'event-1',
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature.digest('base64')}`,
      },
    }),
  );
  return response.status;
}

const event = JSON.stringify({ type: 'greeting-sent', data: { to: 'Maya' } });

void test('it is well, for whoever asks', async () => {
  assert.equal((await service(new Request('http://service/health'))).status, 200);
});

void test('it knows who calls', async () => {
  const response = await service(call('/hello?to=maya'));
  assert.deepEqual(await response.json(), { hello: 'demo-service', tenant: 'demo' });
});

void test('it has no other routes', async () => {
  assert.equal((await service(call('/elsewhere'))).status, 404);
});

void test('it refuses a call that is not signed by the gateway, or is changed, or old', async () => {
  const unsigned = new Request('http://service/hello', { headers: { 'x-hms-actor': 'maya' } });
  const other = call('/hello', { actor: 'somebody-else' });
  const elsewhere = call('/hello?to=maya', { sent: '/hello?to=ravi' });
  for (const refused of [unsigned, other, elsewhere, call('/hello', { ageS: 301 })]) {
    const response = await service(refused);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  }
});

void test('it answers nothing but health until it has a secret', async () => {
  const without = createService({});
  assert.equal((await without(new Request('http://service/health'))).status, 200);
  assert.equal((await without(call('/hello'))).status, 401);
});

void test('it takes an event that is signed', async () => {
  assert.equal(await sendEvent(event), 204);
  const seen = { level: 'info', msg: 'event', id: 'event-1' };
  assert.deepEqual(lines, [{ ...seen, type: 'greeting-sent', data: { to: 'Maya' } }]);
});

void test('it refuses an event that is changed, old or too long', async () => {
  const seenBefore = lines.length;
  assert.equal(await sendEvent(event, { signedBody: `${event} ` }), 401);
  assert.equal(await sendEvent(event, { ageS: 301 }), 401);
  assert.equal(await sendEvent(`${event}${' '.repeat(256 * 1024)}`), 413);
  assert.equal(lines.length, seenBefore);
});
