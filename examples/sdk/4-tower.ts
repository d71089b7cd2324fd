import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { callService, connect } from 'hms-svc';

// A service is registered, probed until it is green, and called by its name through the gateway.
const name = 'licensing-portal';
const service = createServer(({ url, headers }, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ path: url, caller: headers['x-hms-actor'] }));
});
service.listen(0, '127.0.0.1');
await once(service, 'listening');
const { port } = service.address() as AddressInfo;

const hms = connect();
const path = `/services/${name}`;
try {
  const json = { url: `http://127.0.0.1:${port}`, routes: ['/licences'] };
  await hms.json({ method: 'PUT', path, json });
  for (let tries = 0; tries < 50; tries++) {
    const health = await hms.json<{ services: Record<string, { status: string }> }>({
      path: '/health',
    });
    if (health.services[name]?.status === 'green') break;
    await delay(200);
  }
  const answer = await callService(name, '/licences/7?of=ravi');
  console.log(`${answer.status} ${await answer.text()}`);
} finally {
  await hms.send({ method: 'DELETE', path });
  service.close();
}
