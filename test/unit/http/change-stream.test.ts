import { describe, expect, it } from 'vitest';
import { commit, commitTogether } from '../../../src/core/journal/commit.ts';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import type { Channel } from '../../../src/core/policies/channel.ts';
import { policyChangesOf } from '../../../src/core/policies/policy-events.ts';
import { publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import { shareReads } from '../../../src/core/journal/share-reads.ts';
import { changeStream, type Subscription } from '../../../src/http/change-stream.ts';
import { pageLength } from '../../../src/http/journal-reading.ts';
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

/** Lets a journal have so many entries more. */
async function grow(deps: CoreDeps, journal: string, count: number): Promise<void> {
  for (let added = 0; added < count; added++) {
    const decide = async () =>
      ({
        kind: 'change',
        entry: { action: 'a', subject: 's', before: null, after: {}, reason: null },
        writes: () => [],
        result: () => undefined,
      }) as const;
    await commitTogether(deps, journal, [{ origin, decide }]);
  }
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
      journals: ['demo'],
      messagesOf: changesIn(),
      seen: undefined,
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
    const beyond = await listen(deps, { seen: [999] });
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
        journals: ['demo'],
        messagesOf: changesIn(),
        seen: [-1],
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
      const stream = await listen(deps, { isLast, seen: [-1] });
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
      const stream = await listen(deps, { isLast, messagesOf, seen: [-1] });
      await deps.clock.advance(0);
      expect([stream.chunks.length, stream.ended(), stream.closed()]).toEqual([1, true, 1]);
    });

    it.each([-1, 0, 3])('that is over ends with the journal, begun at %i', async (lastIndex) => {
      const deps = depsWithTime();
      for (let limit = 0; limit < 4; limit++) await publish(deps, 'prod', limit);
      const stream = await listen(deps, { isOver: true, seen: [lastIndex] });
      await deps.clock.advance(0);
      expect(stream.chunks.join('').match(/^data: /gm) ?? []).toHaveLength(3 - lastIndex);
      expect([stream.ended(), stream.closed()]).toEqual([true, 1]);
    });
  });

  describe('of several journals', () => {
    const journals = ['demo#a', 'demo#b'];
    const messagesOf = (entry: JournalEntry, journal: string) => [`${journal} ${entry.index}`];

    it('reads one page of one of them at a time, each in its turn', async () => {
      const deps = depsWithTime();
      await grow(deps, 'demo#a', 250);
      await grow(deps, 'demo#b', 2);
      const reads: string[] = [];
      const shared = shareReads(deps, pageLength);
      const stream = await changeStream(
        {
          ...deps,
          readAfter: (journal, index) => {
            reads.push(`${journal} ${index}`);
            return shared(journal, index);
          },
        },
        { lifeMs, heartbeatMs },
        { journals, messagesOf, seen: [-1, 0], untilMs: Infinity, onClose: () => {} },
      );
      const reader = stream.getReader();
      const next = async () => Buffer.from((await reader.read()).value ?? []).toString();
      expect(await next()).toContain('\nid: -1.0\n');
      expect(reads).toEqual([]);
      expect(await next()).toMatch(
        /^id: 0.0\ndata: "demo#a 0"\n\nid: 1.0\n[^]*\nid: 99.0\ndata: .*\n\n$/,
      );
      expect(reads).toEqual(['demo#a -1']);
      expect(await next()).toBe('id: 99.1\ndata: "demo#b 1"\n\n');
      expect(await next()).toMatch(/^id: 100.1\n[^]*\nid: 199.1\ndata: .*\n\n$/);
      // There is nothing new in the one whose turn it is: the other goes on.
      expect(await next()).toMatch(/^id: 200.1\n[^]*\nid: 249.1\ndata: .*\n\n$/);
      expect(reads.slice(1)).toEqual(['demo#b 0', 'demo#a 99', 'demo#b 1', 'demo#a 199']);
      await reader.cancel();
    });

    it('wakes with any of them, and then waits for none any more', async () => {
      const deps = coreDeps();
      const waits: AbortSignal[] = [];
      const signal: CoreDeps['signal'] = {
        notify: (...args) => deps.signal.notify(...args),
        wait: (journal, index, timeoutMs, stop) => {
          if (stop !== undefined) waits.push(stop);
          return deps.signal.wait(journal, index, timeoutMs, stop);
        },
      };
      const { chunks, reader } = await listen({ ...deps, signal }, { journals, messagesOf });
      await deps.clock.advance(0);
      expect(waits.map(({ aborted }) => aborted)).toEqual([false, false]);
      await grow(deps, 'demo#b', 1);
      await deps.clock.advance(0);
      expect(chunks.slice(1)).toEqual(['id: -1.0\ndata: "demo#b 0"\n\n']);
      expect(waits.map(({ aborted }) => aborted)).toEqual([true, true, false, false]);
      await reader.cancel();
      expect(waits.every(({ aborted }) => aborted)).toBe(true);
    });

    it('that are over ends with what all of them have', async () => {
      const deps = depsWithTime();
      await grow(deps, 'demo#a', 1);
      await grow(deps, 'demo#b', 2);
      const over = { journals, messagesOf, isOver: true } as const;
      const stream = await listen(deps, { ...over, seen: [-1, -1] });
      const seen = await listen(deps, { ...over, seen: [0, 1] });
      await deps.clock.advance(0);
      expect(stream.chunks.join('').match(/^data: /gm)).toHaveLength(3);
      expect([stream.ended(), seen.ended(), seen.chunks.length]).toEqual([true, true, 1]);
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
