import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestService extends AsyncDisposable {
  readonly server: Server;
  readonly origin: string;
  readonly port: number;
  /** Cuts every connection, and takes no more until `start`. */
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

/** An HTTP server on loopback, with whatever it does. */
export async function startService(listener: RequestListener): Promise<TestService> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    server,
    port,
    origin: `http://127.0.0.1:${port}`,
    stop,
    async start() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    [Symbol.asyncDispose]: stop,
  };
}
