import { describe, expect, it } from 'vitest';
import { feedOperations } from '../../src/contract/operations/feed-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { workerOperations } from '../../src/contract/operations/worker-operations.ts';
import { publishRule, useCast } from '../support/cast.ts';
import { complete, enqueue, leaseOne, reportOf } from '../support/job-calls.ts';
import { openSocket, openSocketAt, takeTicket } from '../support/open-socket.ts';
import { uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { clientFor, serviceClient } from '../support/service-client.ts';
import { pages } from './lists.suite.ts';

const prod = { subscription: 'prod', topic: 'policies', channel: 'prod' } as const;

export function describeWebSocket(name: string, start: StartService): void {
  describe(`${name}: WebSockets`, () => {
    const cast = useCast(start);

    it('are opened by a ticket that is good once, for seconds, and in place of a token', async () => {
      const { ticket, url, expiresAt } = await takeTicket(cast.reader);
      expect(url).toMatch(/^wss?:\/\/.*\?ticket=/);
      expect(url).toContain(ticket);
      const leftMs = Date.parse(expiresAt) - Date.now();
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThan(40_000);
      const socket = await openSocketAt(url);
      await expect(openSocketAt(url)).rejects.toThrow('refused');
      await expect(openSocketAt(url.replace(ticket, ''))).rejects.toThrow('refused');
      await expect(openSocketAt(url.replace(ticket, 'A'.repeat(43)))).rejects.toThrow('refused');
      socket.send({ type: 'hello' });
      const hello = await socket.heard({ type: 'hello' });
      expect(Date.parse(Reflect.get(hello, 'until') as string)).toBeGreaterThan(Date.now());
      socket.close();
    });

    it('are opened by one of those who come with the same ticket at once', async () => {
      const { url } = await takeTicket(cast.reader);
      const came = await Promise.allSettled([1, 2, 3, 4].map(() => openSocketAt(url)));
      expect(came.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const each of came) if (each.status === 'fulfilled') each.value.close();
    });

    it('take a token that may read for their tickets, and nothing of a body', async () => {
      const reporter = await clientFor(cast.service, 'demo-service', ['write:report']);
      const code = cast.service.behindGateway ? 'unauthenticated' : 'forbidden';
      await reporter.refuse(feedOperations.createTicket, {}, code);
      const nobody = serviceClient(cast.service.baseUrl, null);
      await nobody.refuse(feedOperations.createTicket, {}, 'unauthenticated');
    });

    it('tell each change once they have subscribed, as the stream does, and of no other tenant', async () => {
      const id = uniqueId('pushed');
      const [all, only, other] = await Promise.all([
        openSocket(cast.reader),
        openSocket(cast.reader),
        openSocket(cast.stranger),
      ]);
      await Promise.all([
        all.subscribe({ subscription: 'all', topic: 'policies' }),
        only.subscribe(prod),
        other.subscribe({ ...prod, after: '-1' }),
      ]);
      await publishRule(cast.editor, id, { limit: 1 }, { 'x-channel': 'dev' });
      const { body } = await publishRule(cast.editor, id, { limit: 2 });
      const index = String(body.index);
      const told = { type: 'message', id: index, data: { id, channel: 'prod', gen: 1 } };
      const message = await only.heard({ ...told, subscription: 'prod' });
      expect(Reflect.get(message, 'data')).toEqual({
        tenant: 'demo',
        id,
        channel: 'prod',
        snapshot: body.snapshot,
        version: '1.0.0',
        gen: 1,
        action: 'policy.published',
        reason: 'publish',
        before: null,
        effectiveAt: null,
        actor: cast.editorName,
        index: body.index,
        at: expect.any(String),
      });
      await all.heard({ type: 'message', subscription: 'all', data: { id, channel: 'dev' } });
      await all.heard({ ...told, subscription: 'all' });
      const mine = only.frames.filter((frame) => JSON.stringify(frame).includes(id));
      expect(mine).toHaveLength(1);
      other.send({ type: 'ping' });
      await other.heard({ type: 'pong' });
      expect(JSON.stringify(other.frames)).not.toContain('"demo"');
      for (const socket of [all, only, other]) socket.close();
    });

    it('go on after a position without a gap, whoever it came from', async () => {
      const id = uniqueId('resumed');
      const indexes: string[] = [];
      const publish = async (limit: number) =>
        indexes.push(String((await publishRule(cast.editor, id, { limit })).body.index));
      await publish(0);
      const first = await openSocket(cast.reader);
      await first.subscribe({ ...prod, after: String(Number(indexes[0]) - 1) });
      const [seen] = await first.messages('prod', 1);
      expect(seen?.id).toBe(indexes[0]);
      first.close();
      for (let limit = 1; limit < 6; limit++) await publish(limit);
      const second = await openSocket(cast.reader);
      await second.subscribe({ ...prod, after: seen?.id ?? '' });
      for (let limit = 6; limit < 9; limit++) await publish(limit);
      await second.heard({ id: indexes.at(-1) });
      const mine = second.frames.filter((frame) => JSON.stringify(frame).includes(id));
      expect([...new Set(mine.map((frame) => Reflect.get(frame, 'id')))]).toEqual(indexes.slice(1));
      second.send({ type: 'ping' });
      const pong = await second.heard({ type: 'pong' });
      const { prod: position } = Reflect.get(pong, 'positions') as Record<string, string>;
      expect(Number(position)).toBeGreaterThanOrEqual(Number(indexes.at(-1)));
      second.close();
    });

    it('begin with the beginning for -1', async () => {
      await publishRule(cast.editor, uniqueId('beginning'));
      const journal = await pages((page) =>
        cast.auditor.call(queryOperations.getAudit, {
          query: { limit: 200, order: 'asc', ...page },
        }),
      );
      const first = journal.find(
        ({ action, after }) => action.startsWith('policy.') || 'lanes' in Object(after),
      );
      const socket = await openSocket(cast.reader);
      await socket.subscribe({ subscription: 'all', topic: 'policies', after: '-1' });
      const [message] = await socket.messages('all', 1);
      expect(message?.id).toBe(String(first?.index));
      socket.close();
    });

    it('tell the progress of a job as it is reported, and end with it', async () => {
      const type = `push.${uniqueId('job')}`.toLowerCase();
      const job = await enqueue(cast.reader, { type });
      const socket = await openSocket(cast.reader);
      await socket.subscribe({ subscription: 'job', topic: 'job', job });
      await socket.heard({ subscription: 'job', data: { action: 'job.queued', job } });
      const leased = await leaseOne(cast.reader, type);
      const progress = reportOf(leased, { percent: 40, note: 'half' });
      await cast.reader.call(workerOperations.reportProgress, progress);
      await socket.heard({ data: { action: 'job.progressed', progress: { percent: 40 } } });
      await complete(cast.reader, leased, { result: { done: true } });
      await socket.heard({ data: { action: 'job.completed' } });
      await socket.heard({ type: 'ended', subscription: 'job' });
      // Who comes with the last position is told that there is nothing more.
      const last = socket.frames.findLast((frame) => frame.type === 'message');
      await socket.subscribe({ subscription: 'again', topic: 'job', job, after: last?.id ?? '' });
      await socket.heard({ type: 'ended', subscription: 'again' });
      socket.close();
    });

    it('answer what they do not understand with an error, and change nothing', async () => {
      const socket = await openSocket(cast.reader);
      await socket.subscribe(prod);
      const broken: readonly [string | object, string][] = [
        ['{', 'invalid_request'],
        ['[]', 'invalid_request'],
        [{ type: 'nothing' }, 'invalid_request'],
        [{ ...prod, type: 'subscribe', subscription: 'no names' }, 'invalid_request'],
        [{ ...prod, type: 'subscribe', after: '1.2.3' }, 'invalid_request'],
        [{ ...prod, type: 'subscribe', subscription: 'x', chanel: 'dev' }, 'invalid_request'],
        [{ type: 'subscribe', subscription: 'run', topic: 'run', run: 999_999_999 }, 'not_found'],
        ['x'.repeat(5000), 'too_large'],
      ];
      for (const [frame, code] of broken) {
        const before = socket.frames.length;
        socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
        await expect
          .poll(() => socket.frames.slice(before).filter(({ type }) => type === 'error'), {
            timeout: 20_000,
          })
          .toMatchObject([{ problem: { code } }]);
      }
      socket.send({ type: 'ping' });
      const pong = await socket.heard({ type: 'pong' });
      expect(Object.keys(Reflect.get(pong, 'positions') as object)).toEqual(['prod']);
      const { body } = await publishRule(cast.editor, uniqueId('still-there'));
      await socket.heard({ type: 'message', id: String(body.index) });
      socket.close();
    });

    it('tell nothing more of what was unsubscribed', async () => {
      const socket = await openSocket(cast.reader);
      await socket.subscribe(prod);
      await socket.subscribe({ subscription: 'kept', topic: 'policies' });
      socket.send({ type: 'unsubscribe', subscription: 'prod' });
      await socket.heard({ type: 'unsubscribed', subscription: 'prod' });
      const { body } = await publishRule(cast.editor, uniqueId('unheard'));
      await socket.heard({ type: 'message', subscription: 'kept', id: String(body.index) });
      const heard = await socket.messages('prod', 0);
      expect(heard.map(({ id }) => id)).not.toContain(String(body.index));
      socket.close();
    });
  });
}
