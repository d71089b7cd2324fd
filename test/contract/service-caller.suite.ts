import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AnswerBrokeOff,
  type ServiceCaller,
  type ServiceRequest,
} from '../../src/ports/service-caller.ts';
import { answerOf, serviceRequest, streamed, textOf } from '../support/service-request.ts';
import { freePort } from '../support/free-port.ts';
import { startService, type TestService } from '../support/start-service.ts';
import { describeHostileServices } from './service-caller-hostile.suite.ts';

export interface ServiceCallerFixture {
  /** May call services on this machine. */
  readonly caller: ServiceCaller;
  readonly close: () => void;
}

const megabyte = 1024 * 1024;

/** What every ServiceCaller must do. */
export function describeServiceCaller(name: string, make: () => ServiceCallerFixture): void {
  describe(`ServiceCaller: ${name}`, () => {
    let fixture: ServiceCallerFixture;
    let service: TestService | undefined;
    const begun: IncomingMessage[] = [];
    beforeEach(() => {
      fixture = make();
      begun.length = 0;
    });
    afterEach(async () => {
      fixture.close();
      await service?.stop();
    });

    const serve = async (listener: Parameters<typeof startService>[0]): Promise<string> => {
      service = await startService((request, response) => {
        begun.push(request);
        listener(request, response);
      });
      return service.origin;
    };
    const call = (origin: string, change: Partial<ServiceRequest> = {}) =>
      fixture.caller.call(serviceRequest(origin, change));

    it('sends what it is told, and answers what it gets', async () => {
      const origin = await serve((_, response) => {
        response.writeHead(404, { 'x-one': 'a', 'x-two': ['b', 'c'] }).end('nobody');
      });
      const headers = [
        ['x-a', '1'],
        ['x-b', '2'],
        ['x-b', '3'],
      ] as const;
      const answer = answerOf(await call(origin, { path: '/a/b;c=d?e=%20&f', headers }));
      expect(answer.status).toBe(404);
      expect(answer.headers).toEqual(
        expect.arrayContaining([
          ['x-one', 'a'],
          ['x-two', 'b'],
          ['x-two', 'c'],
        ]),
      );
      expect(await textOf(answer.body)).toBe('nobody');
      expect(begun).toMatchObject([{ method: 'GET', url: '/a/b;c=d?e=%20&f' }]);
      expect(begun[0]?.headers).toMatchObject({
        host: new URL(origin).host,
        'x-a': '1',
        'x-b': '2, 3',
      });
      expect(begun[0]?.headers).not.toHaveProperty('transfer-encoding');
    });

    it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
      'frames every body of %s, known or not',
      async (method) => {
        const bodies: string[] = [];
        const origin = await serve(async (request, response) => {
          let text = '';
          for await (const chunk of request) text += String(chunk);
          bodies.push(text);
          response.end();
        });
        for (const body of [
          Buffer.from('whole'),
          streamed(['str', 'eamed']),
          streamed(['siz', 'ed'], 5),
          null,
          new Uint8Array(),
        ]) {
          const answer = answerOf(await call(origin, { method, body }));
          expect([answer.status, await textOf(answer.body)]).toEqual([200, '']);
        }
        expect(bodies).toEqual(['whole', 'streamed', 'sized', '', '']);
        expect(begun.map(({ headers }) => headers['content-length']).slice(0, 3)).toEqual([
          '5',
          undefined,
          '5',
        ]);
      },
    );

    it('sends no byte of a body beyond its size', async () => {
      const whole: (string | undefined)[] = [];
      const origin = await serve((request, response) => {
        request.on('error', () => undefined);
        request.resume().on('end', () => {
          whole.push(request.url);
          response.end();
        });
      });
      const long = streamed(['12345', 'GET /evil HTTP/1.1\r\n\r\n'], 5);
      const short = streamed(['123'], 5);
      for (const body of [long, short]) {
        expect(await call(origin, { method: 'POST', body })).toMatchObject({
          failure: 'cancelled',
        });
      }
      expect(answerOf(await call(origin, { path: '/next' })).status).toBe(200);
      expect(whole).toEqual(['/next']);
    });

    it.each([
      ['HEAD', 200, '5', null],
      ['GET', 204, undefined, null],
      ['GET', 304, '5', null],
      ['GET', 200, '0', 0],
      ['GET', 200, '5', 5],
      ['GET', 200, undefined, null],
    ] as const)(
      'knows the body of %s, %i, length %s',
      async (method, status, length, sizeBytes) => {
        const origin = await serve((_, response) => {
          const headers = length === undefined ? {} : { 'content-length': length };
          response.writeHead(status, headers).end(hasBody && length !== '0' ? '12345' : undefined);
        });
        const hasBody = method === 'GET' && status === 200;
        for (const _ of [1, 2]) {
          const answer = answerOf(await call(origin, { method }));
          expect(answer.body === null).toBe(!hasBody);
          if (hasBody) expect(answer.body?.sizeBytes).toBe(sizeBytes);
          expect(await textOf(answer.body)).toBe(hasBody && length !== '0' ? '12345' : '');
        }
      },
    );

    it('streams in both directions at once', async () => {
      const origin = await serve((request, response) => void request.pipe(response));
      const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
      async function* chunks() {
        yield Buffer.from(await first.promise);
        yield Buffer.from(await second.promise);
      }
      const outcome = call(origin, { method: 'POST', body: { chunks: chunks(), sizeBytes: null } });
      first.resolve('one');
      const answer = answerOf(await outcome);
      const read = answer.body?.chunks[Symbol.asyncIterator]();
      expect(Buffer.from((await read?.next())?.value ?? []).toString()).toBe('one');
      second.resolve('two');
      expect(Buffer.from((await read?.next())?.value ?? []).toString()).toBe('two');
      expect((await read?.next())?.done).toBe(true);
    });

    it('takes no more of a body than the other side does', async () => {
      // The server does not read; what is on its way fits into a few buffers.
      const origin = await serve(() => undefined);
      let taken = 0;
      async function* chunks() {
        for (; taken < 64; taken++) yield Buffer.alloc(megabyte);
      }
      const body = { chunks: chunks(), sizeBytes: null };
      const outcome = call(origin, { method: 'POST', body, answerWithinMs: 500 });
      expect(await outcome).toMatchObject({ failure: 'timed_out' });
      expect(taken).toBeLessThan(32);
    });

    it('takes no more of an answer than is asked for', async () => {
      let sent = 0;
      async function* chunks() {
        for (; sent < 64; sent++) yield Buffer.alloc(megabyte);
      }
      const origin = await serve((_, response) => void Readable.from(chunks()).pipe(response));
      const answer = answerOf(await call(origin));
      await delay(200);
      expect(sent).toBeLessThan(32);
      let size = 0;
      for await (const chunk of answer.body?.chunks ?? []) size += chunk.byteLength;
      expect(size).toBe(64 * megabyte);
    });

    it('answers before the body has been sent, where the service does', async () => {
      const origin = await serve((_, response) => void response.writeHead(413).end('enough'));
      const never = Promise.withResolvers<void>();
      async function* chunks() {
        yield Buffer.from('begun');
        await never.promise;
      }
      const body = { chunks: chunks(), sizeBytes: null };
      const answer = answerOf(await call(origin, { method: 'POST', body }));
      expect([answer.status, await textOf(answer.body)]).toEqual([413, 'enough']);
    });

    it('uses a connection again, but not for many at a time', async () => {
      const ports = new Set<number | undefined>();
      const origin = await serve((request, response) => {
        ports.add(request.socket.remotePort);
        setTimeout(() => response.end('ok'), 20);
      });
      for (let i = 0; i < 5; i++) await textOf(answerOf(await call(origin)).body);
      expect(ports.size).toBe(1);
      const many = Array.from({ length: 5 }, async () => textOf(answerOf(await call(origin)).body));
      expect(await Promise.all(many)).toEqual(Array(5).fill('ok'));
      expect(ports.size).toBe(5);
    });

    it('does not follow a redirect', async () => {
      const origin = await serve((_, response) => {
        response.writeHead(302, { location: '/elsewhere' }).end();
      });
      expect(answerOf(await call(origin)).status).toBe(302);
      expect(begun).toHaveLength(1);
    });

    it('says that nothing was sent where nobody listens', async () => {
      const origin = `http://127.0.0.1:${await freePort()}`;
      expect(await call(origin, { method: 'POST', body: Buffer.from('x') })).toMatchObject({
        failure: 'not_sent',
        reason: 'no connection (ECONNREFUSED)',
      });
    });

    it('says that there is no answer, in time or at all', async () => {
      const silent = await serve(() => undefined);
      expect(await call(silent, { answerWithinMs: 100 })).toMatchObject({ failure: 'timed_out' });
      await service?.stop();
      const rude = await serve((request) => void request.socket.destroy());
      expect(await call(rude, { method: 'POST' })).toMatchObject({ failure: 'unanswered' });
      expect(begun).toHaveLength(2);
    });

    it('ends when its signal does: before, during, and in the middle of the answer', async () => {
      const origin = await serve((request, response) => {
        if (request.url === '/begin') response.write('some');
      });
      const before = AbortSignal.abort();
      expect(await call(origin, { signal: before })).toMatchObject({ failure: 'cancelled' });
      const during = AbortSignal.timeout(100);
      expect(await call(origin, { signal: during })).toMatchObject({ failure: 'cancelled' });
      const late = new AbortController();
      const answer = answerOf(await call(origin, { path: '/begin', signal: late.signal }));
      const closed = once(begun.at(-1)?.socket as Socket, 'close');
      const reading = textOf(answer.body);
      late.abort();
      await expect(reading).rejects.toBeInstanceOf(AnswerBrokeOff);
      await closed;
    });

    it('says so when the body of the request breaks off, and does not send it as whole', async () => {
      const ends: boolean[] = [];
      const origin = await serve((request) => {
        request.on('error', () => undefined);
        request.on('close', () => ends.push(request.complete));
        request.resume();
      });
      async function* chunks() {
        yield Buffer.from('half');
        await delay(50);
        throw new Error('gone');
      }
      const body = { chunks: chunks(), sizeBytes: null };
      expect(await call(origin, { method: 'POST', body })).toMatchObject({ failure: 'cancelled' });
      await expect.poll(() => ends).toEqual([false]);
    });

    it('ends the exchange for who leaves early', async () => {
      const origin = await serve((_, response) => void response.write('and so on'));
      const discarded = answerOf(await call(origin));
      const closed = once(begun[0]?.socket as Socket, 'close');
      discarded.discard();
      await closed;
      const left = answerOf(await call(origin));
      const closedToo = once(begun[1]?.socket as Socket, 'close');
      for await (const _ of left.body?.chunks ?? []) break;
      await closedToo;
    });

    it('gives up a stream that stands still', async () => {
      const origin = await serve((_, response) => void response.write('and then'));
      const answer = answerOf(await call(origin, { idleMs: 100 }));
      await expect(textOf(answer.body)).rejects.toBeInstanceOf(AnswerBrokeOff);
    });

    it('lets a stream go on that is slow', async () => {
      const origin = await serve(async (_, response) => {
        for (let i = 0; i < 6; i++) {
          response.write('.');
          await delay(60);
        }
        response.end();
      });
      const answer = answerOf(await call(origin, { idleMs: 200, answerWithinMs: 150 }));
      expect(await textOf(answer.body)).toBe('......');
    });

    describeHostileServices((change, origin) => call(origin, change));
  });
}
