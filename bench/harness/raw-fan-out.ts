import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answerQuestions } from './program.ts';

/** The limit of a push: whatever one socket sends is written to all the others. Answers the port. */
answerQuestions(async () => {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      for (const each of sockets) if (each !== socket) each.write(bytes);
    });
    socket.write('connected');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
});
