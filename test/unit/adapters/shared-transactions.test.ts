import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { SharedTransactions } from '../../../src/adapters/local/shared-transactions.ts';

class Desk {
  readonly database = new DatabaseSync(':memory:');
  readonly transactions: SharedTransactions;
  /** Transactions that have come to their end. */
  ended = 0;
  finish: () => void = () => undefined;

  constructor() {
    this.database.exec('CREATE TABLE notes (text TEXT PRIMARY KEY) STRICT');
    this.transactions = new SharedTransactions(this.database, () => {
      this.finish();
      this.ended += 1;
    });
  }

  get notes(): unknown[] {
    const rows = this.database.prepare('SELECT text FROM notes ORDER BY text').all();
    return rows.map(({ text }) => text);
  }

  /** Notes a text; `outcome`: what the work answers, or throws. */
  async note(text: string, outcome: boolean | Error = true): Promise<boolean> {
    return this.transactions.run(() => {
      this.database.prepare('INSERT INTO notes VALUES (?)').run(text);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    });
  }
}

describe('SharedTransactions', () => {
  it('does at once what comes alone', async () => {
    const desk = new Desk();
    const noting = desk.note('a');
    expect(desk.notes).toEqual(['a']);
    expect(desk.ended).toBe(1);
    expect(await noting).toBe(true);
  });

  it('shares a transaction in a turn, up to a hundred of them, in order', async () => {
    const desk = new Desk();
    const names = Array.from({ length: 251 }, (_, n) => `n${String(n).padStart(3, '0')}`);
    const ended: string[] = [];
    await Promise.all(names.map(async (name) => desk.note(name).then(() => ended.push(name))));
    expect(desk.notes).toEqual(names);
    expect(ended).toEqual(names);
    // The first by itself.
    expect(desk.ended).toBe(1 + 3);
    await desk.note('z');
    expect(desk.ended).toBe(5);
  });

  it('undoes what was not done, or failed, and nothing else', async () => {
    const desk = new Desk();
    const told = await Promise.allSettled([
      desk.note('first'),
      desk.note('a'),
      desk.note('b', false),
      desk.note('c', new Error('no')),
      // What `b` wrote is gone, what `a` wrote is there.
      desk.note('b'),
      desk.note('a'),
      desk.note('d'),
    ]);
    expect(told.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual([
      true,
      true,
      false,
      'failed',
      true,
      'failed',
      true,
    ]);
    expect(desk.notes).toEqual(['a', 'b', 'd', 'first']);
    expect(desk.ended).toBe(2);
  });

  it('tells all of a transaction that does not come to its end, and keeps none of it', async () => {
    const desk = new Desk();
    await desk.note('before');
    desk.finish = () => {
      throw new Error('the disk is full');
    };
    const told = await Promise.allSettled([desk.note('a'), desk.note('b'), desk.note('c')]);
    expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    desk.finish = () => undefined;
    expect(desk.notes).toEqual(['before']);
    expect(await Promise.all([desk.note('d'), desk.note('e')])).toEqual([true, true]);
    expect(desk.notes).toEqual(['before', 'd', 'e']);
  });

  it('tells all when one of them ends the transaction', async () => {
    const desk = new Desk();
    const breaking = async () =>
      desk.transactions.run(() => {
        desk.database.exec('ROLLBACK');
        throw new Error('out of memory');
      });
    const told = await Promise.allSettled([desk.note('a'), desk.note('b'), breaking()]);
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(desk.notes).toEqual(['a']);
  });
});
