import type { APIGatewayProxyResultV2, APIGatewayProxyWebsocketEventV2 } from 'aws-lambda';
import { awsPush } from '../src/compose/aws-push.ts';
import { gatewayFrames } from '../src/http/websocket/gateway-frames.ts';

/** Its types know of no query, which comes with a connection that is opened. */
type WebSocketEvent = APIGatewayProxyWebsocketEventV2 & {
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
};

const frames = gatewayFrames(awsPush());

/** Connections, and what their clients say. Answers are posted to the connection. */
export async function handler(event: WebSocketEvent): Promise<APIGatewayProxyResultV2> {
  const { connectionId, eventType } = event.requestContext;
  if (eventType === 'CONNECT') {
    const ticket = event.queryStringParameters?.['ticket'] ?? '';
    return { statusCode: await frames.connect(connectionId, ticket) };
  }
  if (eventType === 'DISCONNECT') {
    await frames.disconnect(connectionId);
  } else {
    // Bytes come as base64.
    await frames.message(connectionId, event.isBase64Encoded ? null : (event.body ?? ''));
  }
  return { statusCode: 200 };
}
