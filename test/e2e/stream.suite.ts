import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { feedOperations } from '../../src/contract/operations/feed-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { publishRule, useCast } from '../support/cast.ts';
import { type EventStream, openStream, type StreamOptions } from '../support/event-stream.ts';
import { uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { clientFor } from '../support/service-client.ts';
import { pages } from './lists.suite.ts';

const heartbeatMs = 15_000;
const patience = { timeout: 10_000 };

export function describeStream(name: string, start: StartService): void {
  describe(`${name}: the stream of changes`, () => {
    const cast = useCast(start);

    it('begins after Last-Event-ID, in the header or the query, and misses nothing', async () => {
      const { editor } = cast;
      const id = uniqueId('resumed');
      const changes = [];
      for (const limit of [1, 2, 3]) changes.push((await publishRule(editor, id, { limit })).body);
      const indexes = changes.map(({ index }) => String(index));
      const [first = ''] = indexes;
      // Whatever else happens: a rule that waited may take effect just now.
      const mine = ({ messages }: EventStream) => messages.filter(({ change }) => change.id === id);
      const expectIds = (stream: EventStream, ids: readonly string[]) =>
        expect.poll(() => mine(stream).map((message) => message.id), patience).toEqual(ids);
      const byHeader = await open({ lastEventId: first });
      await expectIds(byHeader, indexes.slice(1));
      const byQuery = await open({ query: { lastEventId: first } });
      await expectIds(byQuery, indexes.slice(1));
      const both = await open({ lastEventId: indexes[1] ?? '', query: { lastEventId: '-1' } });
      await expectIds(both, indexes.slice(2));
      expect(mine(both)[0]?.change).toEqual({
        tenant: 'demo',
        id,
        channel: 'prod',
        snapshot: changes[2]?.snapshot,
        version: '1.0.0',
        gen: 3,
        action: 'policy.published',
        reason: 'publish',
        before: changes[1]?.snapshot,
        effectiveAt: null,
        actor: cast.editorName,
        index: changes[2]?.index,
        at: expect.any(String),
      });
      for (const stream of [byHeader, byQuery, both]) stream.close();
    });

    it('gives everything since the beginning for -1, in the order of the journal', async () => {
      await publishRule(cast.editor, uniqueId('beginning'));
      const journal = await pages((page) =>
        cast.auditor.call(queryOperations.getAudit, { query: { limit: 200, ...page } }),
      );
      // A step of a run has a message for each policy that it moved.
      const moves = journal.flatMap(({ index, action, after }) => {
        if (action.startsWith('policy.')) return [index];
        const { lanes = [] } = (after ?? {}) as { lanes?: readonly unknown[] };
        return lanes.map(() => index);
      });
      const stream = await open({ lastEventId: '-1' });
      const messages = await stream.until(moves.length);
      const heard = messages.slice(0, moves.length).map(({ change }) => change.index);
      expect(heard).toEqual(moves);
      stream.close();
    });

    it('filters by channel, and its position moves over what it leaves out', async () => {
      const id = uniqueId('one-channel');
      const { body: before } = await publishRule(cast.editor, id, { limit: 1 });
      await publishRule(cast.editor, id, { limit: 2 }, { 'x-channel': 'dev' });
      const json = { from: 'prod', to: 'test' };
      const promoted = await cast.editor.call(changeOperations.promotePolicy, {
        params: { id },
        json,
      });
      const stream = await open({ lastEventId: String(before.index), channel: 'test' });
      const messages = await stream.until(1);
      expect(messages.map((message) => message.id)).toEqual([String(promoted.body.index)]);
      stream.close();
    });

    it('refuses a position or channel that is none', async () => {
      const { streamPolicies } = feedOperations;
      for (const lastEventId of ['x', '1e3', '-2', '1.5', '9'.repeat(13), '0x1']) {
        const headers = { 'last-event-id': lastEventId };
        await cast.reader.refuse(streamPolicies, { headers }, 'invalid_request');
        await cast.reader.refuse(streamPolicies, { query: { lastEventId } }, 'invalid_request');
      }
      const query = { channel: 'staging' };
      await cast.reader.refuse(streamPolicies, { query }, 'invalid_request');
    });

    async function open(options: StreamOptions): Promise<EventStream> {
      return openStream(cast.service.baseUrl, await cast.service.token('demo-service'), options);
    }
  });
}

/** Where messages come as changes happen: not behind an emulated gateway. */
export function describeLiveStream(name: string, start: StartService): void {
  describe(`${name}: the stream, live`, () => {
    const cast = useCast(start);
    let patient: EventStream;
    // Opened first, since a heartbeat takes its time.
    beforeAll(async () => {
      patient = await open({ channel: 'test' });
    });
    afterAll(() => patient.close());

    it('shows each change to everybody who listens, as it happens', async () => {
      const id = uniqueId('live');
      const listeners = await Promise.all([1, 2, 3].map(() => open({})));
      const { body: one } = await publishRule(cast.editor, id, { limit: 1 });
      for (const listener of listeners) {
        expect((await listener.until(1, 1000))[0]?.change.index).toBe(one.index);
      }
      const { body: two } = await publishRule(cast.editor, id, { limit: 2 });
      for (const listener of listeners) {
        expect((await listener.until(2, 1000))[1]?.change.index).toBe(two.index);
        listener.close();
      }
    });

    it('is broken off in the middle and resumed without a gap or a double', async () => {
      const id = uniqueId('broken');
      const stream = await open({});
      const indexes: string[] = [];
      const publishing = (async () => {
        for (let limit = 0; limit < 60; limit++) {
          indexes.push(String((await publishRule(cast.editor, id, { limit })).body.index));
        }
      })();
      const seen: string[] = [];
      let current = stream;
      for (let breaks = 0; breaks < 4; breaks++) {
        await current.until(5 + breaks);
        current.close();
        await current.ended;
        seen.push(...current.messages.map((message) => message.id));
        // Something must be missed, or there is nothing to resume.
        await expect.poll(() => indexes.length, { interval: 5 }).toBeGreaterThan(seen.length + 1);
        current = await open({ lastEventId: current.position() });
      }
      await publishing;
      await current.until(indexes.length - seen.length);
      seen.push(...current.messages.map((message) => message.id));
      expect(seen).toEqual(indexes);
      current.close();
    });

    it('starts with a position, so that a break right away loses nothing', async () => {
      const quiet = await open({});
      const position = quiet.position();
      quiet.close();
      const { body } = await publishRule(cast.editor, uniqueId('quiet'));
      expect(position).toBe(String(Number(body.index) - 1));
      const again = await open({ lastEventId: position });
      expect((await again.until(1))[0]?.id).toBe(String(body.index));
      again.close();
    });

    it('ends when the token does', async () => {
      const { forge, baseUrl } = cast.service;
      if (forge === undefined) return;
      const exp = Math.floor(Date.now() / 1000) + 2;
      const stream = await openStream(baseUrl, await forge({ exp }));
      expect(await stream.ended).toBe(true);
      expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp - 0.1);
    });

    it('keeps up for a slow reader without a loss', async () => {
      const id = uniqueId('slow');
      const { baseUrl, token } = cast.service;
      const leaving = new AbortController();
      const response = await fetch(`${baseUrl}/api/stream/policies`, {
        headers: { authorization: `Bearer ${await token('demo-service')}` },
        signal: leaving.signal,
      });
      const reason = 'r'.repeat(500);
      const indexes: string[] = [];
      for (let limit = 0; limit < 100; limit++) {
        const { body } = await publishRule(cast.editor, id, { limit }, { 'x-reason': reason });
        indexes.push(String(body.index));
      }
      let text = '';
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        if (text.includes(`\nid: ${indexes.at(-1)}\n`)) break;
      }
      leaving.abort();
      const data = [...text.matchAll(/^id: (\d+)\ndata: /gm)].map(([, index]) => index);
      expect(data).toEqual(indexes);
    });

    it('beats, and the heartbeat carries the position of what was left out', async () => {
      const admin = await clientFor(cast.service, 'demo-admin');
      const { body } = await publishRule(admin, uniqueId('unheard'));
      await patient.untilHeartbeat(2 * heartbeatMs);
      expect(patient.messages).toEqual([]);
      expect(Number(patient.position())).toBeGreaterThanOrEqual(Number(body.index));
    });

    async function open(options: StreamOptions): Promise<EventStream> {
      return openStream(cast.service.baseUrl, await cast.service.token('demo-service'), options);
    }
  });
}
