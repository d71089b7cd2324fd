import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaService } from '../../../src/compose/lambda-service.ts';

/** As a function URL hands on a GET of a path. */
function event(rawPath: string) {
  return {
    version: '2.0',
    rawPath,
    rawQueryString: 'a=1',
    headers: { 'x-request-id': 'r' },
    requestContext: { domainName: 'x.on.aws', http: { method: 'GET', path: rawPath } },
    isBase64Encoded: false,
  } as unknown as Parameters<ReturnType<typeof lambdaService>>[0];
}

describe('a service as a function', () => {
  let secret = '';
  let reads = 0;
  let isDown = false;
  const read = async (): Promise<string> => {
    reads += 1;
    if (isDown) throw new Error('no secrets now');
    return secret;
  };
  /** Answers what it was made with, and lets nobody in who asks for `/closed`. */
  const make = (settings: Readonly<Record<string, string | undefined>>) => {
    const { HMS_SERVICE_SECRET: told = 'none' } = settings;
    return async (request: Request) =>
      new Response(`${told} ${request.url}`, {
        status: request.url.includes('closed') ? 401 : 200,
      });
  };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    [secret, reads, isDown] = [JSON.stringify({ HMS_SERVICE_SECRET: 'one' }), 0, false];
  });
  afterEach(() => void vi.useRealTimers());

  const ask = async (handler: ReturnType<typeof lambdaService>, path = '/x') => {
    const { statusCode, body } = (await handler(event(path))) as {
      statusCode: number;
      body: string;
    };
    return [statusCode, body.split(' ')[0], body.split(' ')[1]];
  };
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

  it('gets the request as it came, and is made once', async () => {
    const handler = lambdaService(make, read);
    expect(await ask(handler, '/a%20b')).toEqual([200, 'one', 'https://x.on.aws/a%20b?a=1']);
    later(299_999);
    await ask(handler);
    expect(reads).toBe(1);
  });

  it('takes a new secret after five minutes, and sooner when it has refused somebody', async () => {
    const handler = lambdaService(make, read);
    await ask(handler);
    secret = JSON.stringify({ HMS_SERVICE_SECRET: 'two' });
    later(300_000);
    expect((await ask(handler))[1]).toBe('two');
    secret = JSON.stringify({ HMS_SERVICE_SECRET: 'three' });
    expect((await ask(handler, '/closed'))[0]).toBe(401);
    later(9999);
    expect((await ask(handler))[1]).toBe('two');
    later(1);
    expect((await ask(handler))[1]).toBe('three');
    later(10_000);
    await ask(handler);
    expect(reads).toBe(3);
  });

  it('looks for its secret with each call while it has none', async () => {
    const handler = lambdaService(make, read);
    [secret] = [''];
    expect((await ask(handler))[1]).toBe('none');
    secret = JSON.stringify({ HMS_SERVICE_SECRET: 'one' });
    expect((await ask(handler))[1]).toBe('one');
  });

  it('goes on with what it has while the secret cannot be read, and does not begin without', async () => {
    const handler = lambdaService(make, read);
    isDown = true;
    expect((await ask(handler))[0]).toBe(500);
    isDown = false;
    expect((await ask(handler))[1]).toBe('one');
    isDown = true;
    later(300_000);
    expect((await ask(handler))[1]).toBe('one');
  });
});
