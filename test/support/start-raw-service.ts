import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawService extends AsyncDisposable {
  readonly origin: string;
  /** What came on each connection, as Latin-1. */
  readonly received: readonly string[];
}

/** Called for each piece that comes, with all that came on that connection so far. */
export type RawAnswer = (socket: Socket, received: string, connection: number) => void;

/** A server on loopback that writes what it likes to whoever connects. */
export async function startRawService(answer: RawAnswer): Promise<RawService> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = received.push('') - 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received[connection] += bytes.toString('latin1');
      answer(socket, received[connection] ?? '', connection);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One answer for every request, whatever it is. */
export function always(text: string): RawAnswer {
  return (socket, received) => {
    if (received.endsWith('\r\n\r\n')) socket.write(text, 'latin1');
  };
}
