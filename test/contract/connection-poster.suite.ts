import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionPoster } from '../../src/ports/connection-poster.ts';
import { expectDefect } from '../support/expect-defect.ts';

/** A connection, and its client. */
export interface OpenConnection {
  readonly id: string;
  /** What the client was sent, once it is at least `count` texts, or after a while. */
  readonly heard: (count: number) => Promise<readonly string[]>;
  /** Whether it is closed, or is after a while. */
  readonly isClosed: () => Promise<boolean>;
  /** The client goes away. Resolves when the gateway knows of it. */
  readonly leave: () => Promise<void>;
}

export interface ConnectionPosterFixture {
  readonly poster: ConnectionPoster;
  readonly open: () => Promise<OpenConnection>;
  readonly close?: () => Promise<void> | void;
}

/** What every ConnectionPoster must do. */
export function describeConnectionPoster(
  name: string,
  make: () => Promise<ConnectionPosterFixture>,
): void {
  describe(`ConnectionPoster: ${name}`, () => {
    let fixture: ConnectionPosterFixture;
    let poster: ConnectionPoster;
    beforeEach(async () => {
      fixture = await make();
      ({ poster } = fixture);
    });
    afterEach(async () => await fixture.close?.());

    it('sends texts to one connection, in order, and to no other', async () => {
      const [one, other] = [await fixture.open(), await fixture.open()];
      const texts = Array.from({ length: 20 }, (_, nth) => `{"n":${nth},"t":"é\u2028\u{1f69c}"}`);
      for (const text of texts) expect(await poster.post(one.id, text)).toBe('sent');
      expect(await one.heard(20)).toEqual(texts);
      expect(await other.heard(0)).toEqual([]);
    });

    it('takes 128 KiB, and no more', async () => {
      const connection = await fixture.open();
      const text = 'é'.repeat(64 * 1024);
      await expectDefect(() => poster.post(connection.id, `${text}x`));
      await expectDefect(() => poster.post(connection.id, ''));
      expect(await poster.post(connection.id, text)).toBe('sent');
      expect(await connection.heard(1)).toEqual([text]);
    });

    it('says that a connection is gone, or that there never was one', async () => {
      const connection = await fixture.open();
      await connection.leave();
      expect(await poster.post(connection.id, 'x')).toBe('gone');
      expect(await poster.post('L0SM9cOFvHcCIhw=', 'x')).toBe('gone');
    });

    it('closes a connection, after what was posted', async () => {
      const connection = await fixture.open();
      await poster.post(connection.id, 'last');
      expect(await connection.heard(1)).toEqual(['last']);
      await poster.close(connection.id);
      expect(await connection.isClosed()).toBe(true);
      expect(await poster.post(connection.id, 'x')).toBe('gone');
    });

    it('closes what is gone', async () => {
      const connection = await fixture.open();
      await poster.close(connection.id);
      await poster.close(connection.id);
      await poster.close('L0SM9cOFvHcCIhw=');
      expect(await connection.isClosed()).toBe(true);
    });
  });
}
