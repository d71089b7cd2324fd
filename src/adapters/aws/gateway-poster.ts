import {
  DeleteConnectionCommand,
  GoneException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';

import type { ConnectionPoster } from '../../ports/connection-poster.ts';
import { checkText } from '../runtime/push-limits.ts';
import { awsError } from './aws-error.ts';

/** A `ConnectionPoster` on a WebSocket API of API Gateway, which the client has as its endpoint. */
export function gatewayPoster({
  client,
}: {
  readonly client: ApiGatewayManagementApiClient;
}): ConnectionPoster {
  return {
    async post(connection, text) {
      const Data = checkText(text);
      const command = new PostToConnectionCommand({ ConnectionId: connection, Data });
      return (await unlessGone(client.send(command))) ? 'sent' : 'gone';
    },

    async close(connection) {
      await unlessGone(client.send(new DeleteConnectionCommand({ ConnectionId: connection })));
    },
  };
}

async function unlessGone(done: Promise<unknown>): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    // What is none of its ids at all, it calls a bad request.
    if (error instanceof GoneException || isBadId(error)) return false;
    throw awsError(error, 'The gateway of connections');
  }
}

function isBadId(error: unknown): boolean {
  return error instanceof Error && error.name === 'BadRequestException';
}
