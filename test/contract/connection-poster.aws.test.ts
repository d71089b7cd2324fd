import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { afterAll, beforeAll, expect } from 'vitest';

import { gatewayPoster } from '../../src/adapters/aws/gateway-poster.ts';
import { type EmulatedGateway, emulatedGateway } from '../support/emulated-gateway.ts';
import { describeConnectionPoster, type OpenConnection } from './connection-poster.suite.ts';

const patience = { timeout: 10_000, interval: 20 };

let gateway: EmulatedGateway;
beforeAll(async () => {
  gateway = await emulatedGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describeConnectionPoster('gatewayPoster', async () => {
  const client = new ApiGatewayManagementApiClient({ endpoint: gateway.endpoint });
  const poster = gatewayPoster({ client });
  const sockets: WebSocket[] = [];
  async function open(): Promise<OpenConnection> {
    const socket = new WebSocket(gateway.url);
    sockets.push(socket);
    const texts: string[] = [];
    socket.addEventListener('message', ({ data }) => void texts.push(String(data)));
    socket.addEventListener('open', () => socket.send('who am I?'));
    await expect.poll(() => texts.length, patience).toBe(1);
    const [id = ''] = texts.splice(0);
    const isClosed = async () => {
      await expect.poll(() => socket.readyState, patience).toBe(WebSocket.CLOSED);
      return true;
    };
    return {
      id,
      async heard(count) {
        await expect.poll(() => texts.length, patience).toBeGreaterThanOrEqual(count);
        return texts;
      },
      isClosed,
      async leave() {
        socket.close();
        await isClosed();
        await expect.poll(() => poster.post(id, 'still there?'), patience).toBe('gone');
      },
    };
  }
  const close = () => {
    for (const socket of sockets) socket.close();
    client.destroy();
  };
  return { poster, open, close };
});
