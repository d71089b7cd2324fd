import type * as z from 'zod';
import { clientFrames, serverFrames } from './frame-schemas.ts';
import { lift } from './openapi.ts';

type JsonObject = Record<string, unknown>;

/** The AsyncAPI 3.0 document of what is said over a WebSocket, from the very schemas of its frames. */
export function asyncApiDocument(): JsonObject {
  const schemas: JsonObject = {};
  const messages: JsonObject = {};
  const add = (
    frames: Readonly<Record<string, z.ZodType>>,
    whose: 'client' | 'server',
    io: 'input' | 'output',
  ): JsonObject[] =>
    Object.entries(frames).map(([name, schema]) => {
      const key = `${whose}.${name}`;
      messages[key] = {
        name,
        contentType: 'application/json',
        payload: lift(schema, io, schemas),
      };
      return { $ref: `#/channels/socket/messages/${key}` };
    });
  const said = add(clientFrames, 'client', 'input');
  const heard = add(serverFrames, 'server', 'output');
  const ofChannel = Object.keys(messages).map((key) => [
    key,
    { $ref: `#/components/messages/${key}` },
  ]);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'HMS-SVC over WebSocket',
      version: '1',
      description:
        'What the streams of the API tell, for services that must update at once. ' +
        '`docs/websocket.md` tells how a client goes about it.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: { socket: { ...socket, messages: Object.fromEntries(ofChannel) } },
    operations: {
      listen: {
        action: 'receive',
        channel: { $ref: '#/channels/socket' },
        summary: 'What a client says',
        messages: said,
      },
      tell: {
        action: 'send',
        channel: { $ref: '#/channels/socket' },
        summary: 'What a client is told',
        messages: heard,
      },
    },
    components: { messages, schemas },
  };
}

const socket = {
  // `POST /api/stream/tickets` answers it.
  address: null,
  description: 'The address comes with the ticket, which is in its query.',
  bindings: {
    ws: {
      method: 'GET',
      query: {
        type: 'object',
        required: ['ticket'],
        properties: { ticket: { type: 'string', description: 'Good once, for 30 s' } },
      },
      bindingVersion: '0.1.0',
    },
  },
};
