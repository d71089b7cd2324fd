import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  AnswerBrokeOff,
  type ServiceOutcome,
  type ServiceRequest,
} from '../../src/ports/service-caller.ts';
import { answerOf, textOf } from '../support/service-request.ts';
import { always, type RawAnswer, startRawService } from '../support/start-raw-service.ts';

type CallService = (change: Partial<ServiceRequest>, origin: string) => Promise<ServiceOutcome>;

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const head = 'HTTP/1.1 200 OK\r\n';

/** What is no answer. */
const unsound: Readonly<Record<string, string>> = {
  'no HTTP': 'hello there, how are you?\r\n\r\n',
  'HTTP/0.9': 'ok',
  'another protocol': '\x16\x03\x01\x00\xa5\x01\x00',
  'no status': 'HTTP/1.1 OK\r\n\r\n',
  'a status below all': 'HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n',
  'a status beyond all': 'HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n',
  'both lengths': `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'two lengths': `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk`,
  'a length that is none': `${head}Content-Length: two\r\n\r\nok`,
  'a negative length': `${head}Content-Length: -2\r\n\r\nok`,
  'a folded header': `${head}X-A: b\r\n c: d\r\nContent-Length: 2\r\n\r\nok`,
  'a lone LF': `${head.replace('\r', '')}Content-Length: 2\n\nok`,
  'a lone CR in a header': `${head}X-A: b\rX-Evil: c\r\nContent-Length: 2\r\n\r\nok`,
  'NUL in a header': `${head}X-A: b\0c\r\nContent-Length: 2\r\n\r\nok`,
  'a control character in a header': `${head}X-A: b\x01c\r\nContent-Length: 2\r\n\r\nok`,
  'a header without a name': `${head}: b\r\nContent-Length: 2\r\n\r\nok`,
  'a space before the colon': `${head}Content-Length : 2\r\n\r\nok`,
  'a header of 20 KB': `${head}X-A: ${'a'.repeat(20_000)}\r\nContent-Length: 2\r\n\r\nok`,
  '300 headers': `${head}${Array.from({ length: 300 }, (_, i) => `X-${i}: b\r\n`).join('')}Content-Length: 2\r\n\r\nok`,
  'another protocol, unasked': 'HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw',
};

/** What begins well. */
const broken: Readonly<Record<string, string>> = {
  'half of it': `${head}Content-Length: 20\r\n\r\nok`,
  'a chunk that is none': `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n`,
  'a chunk beyond numbers': `${head}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\nok`,
  'a chunk of which half comes': `${head}Transfer-Encoding: chunked\r\n\r\nff\r\nok`,
  'no last chunk': `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n`,
  'chunk extensions without end': `${head}Transfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(50_000)}`,
  'trailers without end': `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${'X-A: b\r\n'.repeat(10_000)}`,
};

/** Servers that err, or mean harm. None of them may have more than its own exchange spoilt. */
export function describeHostileServices(call: CallService): void {
  describe('and hostile services', () => {
    it.each(Object.keys(unsound))('takes for no answer: %s', async (name) => {
      await using service = await startRawService((socket, received) => {
        if (received.endsWith('\r\n\r\n')) socket.end(unsound[name] ?? '', 'latin1');
      });
      const outcome = await call({ method: 'POST' }, service.origin);
      expect(outcome).toMatchObject({ kind: 'failed', failure: 'unanswered' });
      expect('reason' in outcome && outcome.reason).not.toMatch(/evil|hello/i);
    });

    it.each(Object.keys(broken))('throws in the middle: %s', async (name) => {
      await using service = await startRawService((socket, received) => {
        if (received.endsWith('\r\n\r\n')) socket.end(broken[name] ?? '', 'latin1');
      });
      const outcome = await call({}, service.origin);
      // The head and what spoils it may come in one piece.
      if (outcome.kind === 'failed') expect(outcome.failure).toBe('unanswered');
      else await expect(textOf(outcome.answer.body)).rejects.toBeInstanceOf(AnswerBrokeOff);
    });

    it('gives up a head that comes too slowly', async () => {
      await using service = await startRawService((socket) => {
        socket.write(head);
        const drip = setInterval(() => socket.write('X-A: b\r\n'), 20);
        socket.on('close', () => clearInterval(drip));
      });
      const outcome = await call({ answerWithinMs: 200 }, service.origin);
      expect(outcome).toMatchObject({ failure: 'timed_out' });
    });

    it('gives up 1xx answers without end', async () => {
      await using service = await startRawService((socket) => {
        const drip = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 5);
        socket.on('close', () => clearInterval(drip));
      });
      const outcome = await call({ answerWithinMs: 200 }, service.origin);
      expect(outcome).toMatchObject({ failure: 'timed_out' });
    });

    it('passes over some 1xx answers, and drops trailers', async () => {
      const early = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
      const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: a\r\n\r\n`;
      await using service = await startRawService(always(early + chunked));
      const answer = answerOf(await call({}, service.origin));
      expect(answer.headers).toEqual([['Transfer-Encoding', 'chunked']]);
      expect(await textOf(answer.body)).toBe('ok');
    });

    it('reads what ends with the connection, as HTTP/1.0 has it', async () => {
      await using service = await startRawService((socket, received) => {
        if (received.endsWith('\r\n\r\n')) socket.end('HTTP/1.0 200 OK\r\n\r\nall of it');
      });
      const answer = answerOf(await call({}, service.origin));
      expect(answer.body?.sizeBytes).toBeNull();
      expect(await textOf(answer.body)).toBe('all of it');
    });

    it('reads a chunk of 8 MB piece by piece', async () => {
      const size = 8 * 1024 * 1024;
      await using service = await startRawService((socket, received) => {
        if (!received.endsWith('\r\n\r\n')) return;
        socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`);
        socket.write(Buffer.alloc(size, 'a'));
        socket.write('\r\n0\r\n\r\n');
      });
      const answer = answerOf(await call({}, service.origin));
      let largest = 0;
      let sum = 0;
      for await (const chunk of answer.body?.chunks ?? []) {
        largest = Math.max(largest, chunk.byteLength);
        sum += chunk.byteLength;
      }
      expect(sum).toBe(size);
      expect(largest).toBeLessThan(1024 * 1024);
    });

    const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';
    it.each<[string, RawAnswer]>([
      ['with the answer', always(ok + evil)],
      ['as a longer body', always(`${ok}and more`)],
      [
        'after the answer',
        (socket, received) => {
          if (!received.endsWith('\r\n\r\n')) return;
          socket.write(ok);
          setTimeout(() => socket.write(evil), 30);
        },
      ],
      ['with a body where none can be', always('HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nEVIL')],
    ])('never takes for the next answer what came %s', async (_, poison) => {
      await using service = await startRawService((socket, received, connection) => {
        // What comes on another connection is answered well.
        if (connection === 0) poison(socket, received, connection);
        else always(ok)(socket, received, connection);
      });
      const first = await call({}, service.origin);
      if (first.kind === 'answered') await textOf(first.answer.body).catch(() => undefined);
      await delay(100);
      const next = answerOf(await call({}, service.origin));
      expect(await textOf(next.body)).toBe('ok');
    });

    it('asks again where a kept connection was closed, unless it may be done twice', async () => {
      await using service = await startRawService((socket, received) => {
        if (!received.endsWith('\r\n\r\n')) return;
        // The second request on a connection finds it closed.
        if (received.match(/HTTP\/1\.1\r\n/g)?.length === 1) socket.write(ok);
        else socket.destroy();
      });
      const get = async () => textOf(answerOf(await call({}, service.origin)).body);
      expect([await get(), await get()]).toEqual(['ok', 'ok']);
      expect(await get()).toBe('ok');
      const post = await call({ method: 'POST' }, service.origin);
      expect(post).toMatchObject({ failure: 'unanswered' });
    });
  });
}
