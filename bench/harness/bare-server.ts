import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from './program.ts';

/** The same answer to whatever is asked. */
export interface FixedReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The limit: what `node:http` does when nothing is decided. Answers the port. */
answerQuestions(async (question) => {
  const { status, headers, body } = question as FixedReply;
  const server = createServer((_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
});
