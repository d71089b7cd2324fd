import { describe, expect, it } from 'vitest';
import { ReplayableBody } from '../../../src/core/gateway/replayable-body.ts';
import { streamed, textOf } from '../../support/service-request.ts';

describe('ReplayableBody', () => {
  it('gives a short body as often as it is asked for', async () => {
    const body = new ReplayableBody(streamed(['ab', 'cd', 'ef'], 6), 10);
    expect(body.sizeBytes).toBe(6);
    for (const _ of [1, 2, 3]) {
      expect(body.canReplay).toBe(true);
      expect(await textOf(body.open())).toBe('abcdef');
    }
  });

  it('begins anew in the middle, and gives the rest to the new reader alone', async () => {
    const body = new ReplayableBody(streamed(['ab', 'cd', 'ef']), 10);
    const first = body.open().chunks[Symbol.asyncIterator]();
    await first.next();
    const text = textOf(body.open());
    await expect(first.next()).rejects.toThrow('anew');
    expect(await text).toBe('abcdef');
  });

  it('loses nothing that a reader who gave up was waiting for', async () => {
    const second = Promise.withResolvers<void>();
    async function* chunks() {
      yield Buffer.from('ab');
      await second.promise;
      yield Buffer.from('cd');
    }
    const body = new ReplayableBody({ chunks: chunks(), sizeBytes: null }, 10);
    const first = body.open().chunks[Symbol.asyncIterator]();
    await first.next();
    const waiting = first.next();
    const text = textOf(body.open());
    second.resolve();
    await expect(waiting).rejects.toThrow('anew');
    expect(await text).toBe('abcd');
  });

  it('keeps no more than it may, and says when it is too late to begin anew', async () => {
    const body = new ReplayableBody(streamed(['abc', 'def', 'ghi', 'jkl']), 5);
    const reader = body.open().chunks[Symbol.asyncIterator]();
    await reader.next();
    expect(body.canReplay).toBe(true);
    await reader.next();
    // The second chunk was too much: what was sent is gone.
    expect(body.canReplay).toBe(false);
    const rest: string[] = [];
    for (;;) {
      const { done, value } = await reader.next();
      if (done === true) break;
      rest.push(Buffer.from(value).toString());
    }
    expect(rest).toEqual(['ghi', 'jkl']);
  });

  it('breaks off where the body does, every time', async () => {
    async function* chunks() {
      yield Buffer.from('ab');
      throw new Error('gone');
    }
    const body = new ReplayableBody({ chunks: chunks(), sizeBytes: null }, 10);
    await expect(textOf(body.open())).rejects.toThrow('gone');
    expect(body.canReplay).toBe(false);
    await expect(textOf(body.open())).rejects.toThrow('gone');
  });
});
