import { describe, expect, it } from 'vitest';
import { commit } from '../../../src/core/journal/commit.ts';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import type { Channel } from '../../../src/core/policies/channel.ts';
import { policyChangesOf } from '../../../src/core/policies/policy-events.ts';
import { publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import { shareReads } from '../../../src/core/journal/share-reads.ts';
import { changeStream, pageLength, type Subscription } from '../../../src/http/change-stream.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { pollingSignal } from '../../../src/adapters/aws/polling-signal.ts';
import { ruleYaml } from '../../support/policy-documents.ts';

const heartbeatMs = 15_000;
const lifeMs = 100_000;
const origin = { tenant: 'demo', actor: 'editor', requestId: 'request-1' };

function depsWithTime(): CoreDeps {
  const clock = new ManualClock();
  // It waits on the clock, as every wait of a stream does here.
  return coreDeps({ clock, signal: pollingSignal({ clock }) });
}

async function publish(deps: CoreDeps, channel: Channel, limit: number): Promise<void> {
  await publishPolicy(deps, origin, {
    lane: { tenant: 'demo', id: 'p', channel },
    upload: { form: 'yaml', bytes: Buffer.from(ruleYaml('p', { limit })) },
    guard: null,
    reason: null,
  });
}

const idLine = (index: number) => `id: ${index}`;

/** The changes of a channel, or of all. */
function changesIn(channel?: Channel): Subscription['messagesOf'] {
  return (entry) =>
    policyChangesOf('demo', entry).filter(
      (change) => channel === undefined || change.channel === channel,
    );
}

/** The chunks of a stream as they come. */
async function listen(deps: CoreDeps, more: Partial<Subscription> = {}, stop?: AbortSignal) {
  let closed = 0;
  const stream = await changeStream(
    { ...deps, readAfter: shareReads(deps, pageLength) },
    { lifeMs, heartbeatMs, ...(stop === undefined ? {} : { stop }) },
    {
      tenant: 'demo',
      messagesOf: changesIn(),
      lastIndex: undefined,
      untilMs: Infinity,
      onClose: () => (closed += 1),
      ...more,
    },
  );
  const chunks: string[] = [];
  let ended = false;
  const reader = stream.getReader();
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(Buffer.from(value).toString());
    }
    ended = true;
  })();
  return { chunks, reader, reading, closed: () => closed, ended: () => ended };
}

describe('the stream of changes', () => {
  it('opens with its position, and beats with the one it has moved to', async () => {
    const deps = depsWithTime();
    await publish(deps, 'dev', 1);
    const { chunks } = await listen(deps, { messagesOf: changesIn('prod') });
    await deps.clock.advance(heartbeatMs - 1);
    expect(chunks).toEqual(['retry: 1000\nid: 0\n: connected\n\n']);
    await publish(deps, 'dev', 2);
    await publish(deps, 'dev', 3);
    await deps.clock.advance(heartbeatMs);
    expect(chunks.slice(1)).toEqual([': heartbeat\nid: 2\n\n']);
    await publish(deps, 'prod', 4);
    await deps.clock.advance(heartbeatMs);
    expect(chunks[2]).toMatch(/^id: 3\ndata: \{"tenant":"demo","id":"p","channel":"prod".*\}\n\n$/);
    expect(chunks.slice(3)).toEqual([]);
  });

  it('of an empty journal is at -1, and of a position beyond the end at the end', async () => {
    const deps = depsWithTime();
    const empty = await listen(deps);
    const beyond = await listen(deps, { lastIndex: 999 });
    await deps.clock.advance(1);
    expect(empty.chunks[0]).toContain('\nid: -1\n');
    expect(beyond.chunks[0]).toContain('\nid: -1\n');
    await publish(deps, 'prod', 1);
    await deps.clock.advance(heartbeatMs);
    expect(empty.chunks[1]).toMatch(/^id: 0\ndata: /);
    expect(beyond.chunks[1]).toMatch(/^id: 0\ndata: /);
  });

  it('leaves out what is no change of a channel, and moves over it', async () => {
    const deps = depsWithTime();
    const { chunks } = await listen(deps);
    await deps.clock.advance(1);
    await commit(deps, origin, async () => ({
      kind: 'change',
      entry: { action: 'snapshot.stored', subject: 'p', before: null, after: {}, reason: null },
      writes: () => [],
      result: () => undefined,
    }));
    await deps.clock.advance(2 * heartbeatMs);
    expect(chunks.slice(1)).toContain(': heartbeat\nid: 0\n\n');
    expect(chunks.join('')).not.toContain('data:');
  });

  it.each([
    ['its life', {}, lifeMs],
    ['the token', { untilMs: new ManualClock().nowMs() + 7000 }, 7000],
  ])('ends when %s does', async (_, more, afterMs) => {
    const deps = depsWithTime();
    const stream = await listen(deps, more);
    await deps.clock.advance(afterMs - 1);
    expect([stream.ended(), stream.closed()]).toEqual([false, 0]);
    await deps.clock.advance(1);
    expect([stream.ended(), stream.closed()]).toEqual([true, 1]);
  });

  it('ends at once when the server stops, or when its reader leaves', async () => {
    const deps = depsWithTime();
    const stop = new AbortController();
    const stopped = await listen(deps, {}, stop.signal);
    const left = await listen(deps);
    await deps.clock.advance(1);
    stop.abort();
    await left.reader.cancel();
    await deps.clock.advance(0);
    expect([stopped.ended(), stopped.closed(), left.closed()]).toEqual([true, 1, 1]);
    expect(deps.clock.sleeping).toBe(0);
  });

  it('reads nothing before it is asked to', async () => {
    const deps = depsWithTime();
    for (let limit = 0; limit < 3; limit++) await publish(deps, 'prod', limit);
    let queries = 0;
    const { records } = deps;
    const counting = {
      get: records.get.bind(records),
      getMany: records.getMany.bind(records),
      commit: records.commit.bind(records),
      query: (...args: Parameters<typeof records.query>) => {
        queries += 1;
        return records.query(...args);
      },
    };
    await changeStream(
      { ...deps, records: counting, readAfter: shareReads({ records: counting }, pageLength) },
      { lifeMs, heartbeatMs },
      {
        tenant: 'demo',
        messagesOf: changesIn(),
        lastIndex: -1,
        untilMs: Infinity,
        onClose: () => {},
      },
    );
    await deps.clock.advance(1000);
    expect(queries).toBe(0);
  });

  describe('that has an end', () => {
    const isLast = (entry: JournalEntry) => entry.index === 2;

    it('tells all up to it, and nothing that came after', async () => {
      const deps = depsWithTime();
      for (let limit = 0; limit < 5; limit++) await publish(deps, 'prod', limit);
      const stream = await listen(deps, { isLast, lastIndex: -1 });
      await deps.clock.advance(0);
      expect(stream.chunks.join('').match(/^id: -?\d+$/gm)).toEqual([-1, 0, 1, 2].map(idLine));
      expect([stream.ended(), stream.closed()]).toEqual([true, 1]);
      expect(deps.clock.sleeping).toBe(0);
    });

    it('waits for it', async () => {
      const deps = depsWithTime();
      const stream = await listen(deps, { isLast });
      for (let limit = 0; limit < 2; limit++) await publish(deps, 'prod', limit);
      await deps.clock.advance(heartbeatMs);
      expect(stream.ended()).toBe(false);
      await publish(deps, 'prod', 3);
      await deps.clock.advance(heartbeatMs);
      expect([stream.ended(), stream.closed()]).toEqual([true, 1]);
    });

    it('ends with it also when nothing is told of it', async () => {
      const deps = depsWithTime();
      for (let limit = 0; limit < 4; limit++) await publish(deps, 'prod', limit);
      const messagesOf = () => [];
      const stream = await listen(deps, { isLast, messagesOf, lastIndex: -1 });
      await deps.clock.advance(0);
      expect([stream.chunks.length, stream.ended(), stream.closed()]).toEqual([1, true, 1]);
    });

    it.each([-1, 0, 3])('that is over ends with the journal, begun at %i', async (lastIndex) => {
      const deps = depsWithTime();
      for (let limit = 0; limit < 4; limit++) await publish(deps, 'prod', limit);
      const stream = await listen(deps, { isOver: true, lastIndex });
      await deps.clock.advance(0);
      expect(stream.chunks.join('').match(/^data: /gm) ?? []).toHaveLength(3 - lastIndex);
      expect([stream.ended(), stream.closed()]).toEqual([true, 1]);
    });
  });

  it('breaks off with a word in the log when the store does not answer', async () => {
    const deps = depsWithTime();
    const records = {
      ...deps.records,
      get: deps.records.get.bind(deps.records),
      query: () => Promise.reject(new Error('gone')),
    };
    const stream = await listen({ ...deps, records });
    const failure = expect(stream.reading).rejects.toThrow('gone');
    await deps.clock.advance(1);
    await failure;
    expect(stream.closed()).toBe(1);
    expect(deps.log.lines).toMatchObject([{ level: 'warn', msg: 'stream broke off' }]);
  });
});
