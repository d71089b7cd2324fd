import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { callService, connect, getRule, publishEvent, verifyWebhook, WebhookError } from 'hms-svc';

// Maya applies for a voucher: one service decides by the rule MAX_INCOME and says so; a subscriber, the
// same one here, hears of it and knows that it comes from HMS.
const name = 'voucher-desk';
const seen = new Set<string>();
const heard = Promise.withResolvers<unknown>();
let secret = '';

async function check(request: IncomingMessage): Promise<object> {
  const { income } = JSON.parse(await text(request)) as { readonly income: number };
  const { value } = await getRule('MAX_INCOME');
  const eligible = income <= Number(value);
  if (eligible) await publishEvent({ type: 'voucher-submitted', data: { limit: value } });
  return { eligible, limit: value };
}

async function hear(request: IncomingMessage): Promise<object> {
  const event = await verifyWebhook(await text(request), request.headers, secret);
  // It may come twice.
  if (!seen.has(event.id)) heard.resolve(event.data);
  seen.add(event.id);
  return {};
}

const desk = createServer(async (request, response) => {
  try {
    const isEvent = request.url === '/events';
    const isCheck = request.url === '/check';
    const answer = isEvent ? await hear(request) : isCheck ? await check(request) : {};
    response.end(JSON.stringify(answer));
  } catch (error) {
    response.writeHead(error instanceof WebhookError ? 401 : 503).end();
  }
});
desk.listen(0, '127.0.0.1');
await once(desk, 'listening');

const hms = connect();
const path = `/services/${name}`;
const url = `http://127.0.0.1:${(desk.address() as AddressInfo).port}`;
const events = { publishes: ['voucher-submitted'], subscribes: ['voucher-submitted'] };
try {
  await hms.json({ method: 'PUT', path, json: { url, routes: ['/check'], events } });
  ({ secret } = await hms.json<{ secret: string }>({ method: 'POST', path: `${path}/secret` }));
  const apply = { method: 'POST', json: { income: 52_000 } } as const;
  console.log(`Maya: ${await (await callService(name, '/check', apply)).text()}`);
  console.log(`heard: ${JSON.stringify(await heard.promise)}`);
} finally {
  await hms.send({ method: 'DELETE', path });
  desk.close();
}
