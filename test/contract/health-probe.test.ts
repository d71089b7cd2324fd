import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpHealthProbe } from '../../src/adapters/runtime/http-health-probe.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { FakeProbe } from '../support/fake-probe.ts';
import { freePort } from '../support/free-port.ts';
import { describeHealthProbe } from './health-probe.suite.ts';

describeHealthProbe('httpHealthProbe', async () => {
  const server = createServer((request, response) => {
    const status = Number(request.url?.slice(1));
    if (status > 0) response.writeHead(status, { location: '/200' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const deadPort = await freePort();
  return {
    probe: httpHealthProbe({ networks: { allowPrivate: true } }),
    page: (status) => `http://127.0.0.1:${port}/${status ?? ''}`,
    nowhere: `http://127.0.0.1:${deadPort}/200`,
    forbidden: 'https://169.254.169.254/latest/meta-data',
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
});

describeHealthProbe('FakeProbe', async () => {
  const probe = new FakeProbe(systemClock);
  probe.answer = (url) => {
    if (url.includes('nowhere')) return 'refused';
    return Number(new URL(url).pathname.slice(1)) || 'hangs';
  };
  return {
    probe,
    page: (status) => `https://service.example/${status ?? ''}`,
    nowhere: 'https://nowhere.example/',
    forbidden: 'https://169.254.169.254/latest/meta-data',
    close: async () => undefined,
  };
});
