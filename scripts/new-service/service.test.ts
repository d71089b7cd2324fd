import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createService } from './service.ts';

const key = Buffer.alloc(32, 7);
const lines: Readonly<Record<string, unknown>>[] = [];
const service = createService({
  webhookSecret: `whsec_${key.toString('base64')}`,
  log: (line) => lines.push(line),
});
let url = '';

before(async () => {
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(() => service.close());

async function sendEvent(body: string, { signedBody = body, ageS = 0 } = {}): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000) - ageS);
  const signature = createHmac('sha256', key).update(`event-1.${timestamp}.${signedBody}`);
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    body,
    headers: {
      'webhook-id': 'event-1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature.digest('base64')}`,
    },
  });
  return response.status;
}

const event = JSON.stringify({ type: 'greeting-sent', data: { to: 'Maya' } });

void test('it is well', async () => {
  assert.equal((await fetch(`${url}/health`)).status, 200);
});

void test('it knows who calls', async () => {
  const headers = { 'x-hms-tenant': 'demo', 'x-hms-actor': 'demo-service' };
  const response = await fetch(`${url}/hello`, { headers });
  assert.deepEqual(await response.json(), { hello: 'demo-service', tenant: 'demo' });
});

void test('it has no other routes', async () => {
  assert.equal((await fetch(`${url}/elsewhere`)).status, 404);
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
