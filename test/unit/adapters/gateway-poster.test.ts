import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  ForbiddenException,
  GoneException,
  LimitExceededException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';

import { gatewayPoster } from '../../../src/adapters/aws/gateway-poster.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';

const about = { message: 'x', $metadata: {} };

function failing(error: Error) {
  const client = new ApiGatewayManagementApiClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  mock.on(PostToConnectionCommand).rejects(error);
  mock.on(DeleteConnectionCommand).rejects(error);
  return gatewayPoster({ client });
}

describe('gatewayPoster', () => {
  it('takes for gone what the gateway says is gone, or calls no id at all', async () => {
    const bad = Object.assign(new Error('Invalid connectionId: x'), {
      name: 'BadRequestException',
    });
    for (const error of [new GoneException(about), bad]) {
      const poster = failing(error);
      expect(await poster.post('a=', 'x')).toBe('gone');
      expect(await poster.close('a=')).toBeUndefined();
    }
  });

  it('says when the gateway is too busy or did not answer', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' });
    for (const error of [new LimitExceededException(about), lost]) {
      const poster = failing(error);
      await expect(poster.post('a=', 'x')).rejects.toThrow(Unavailable);
      await expect(poster.close('a=')).rejects.toThrow(Unavailable);
    }
  });

  it('throws all else as it came', async () => {
    for (const error of [new ForbiddenException(about), new PayloadTooLargeException(about)]) {
      await expect(failing(error).post('a=', 'x')).rejects.toBe(error);
    }
  });
});
