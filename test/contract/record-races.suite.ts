import { expect, it } from 'vitest';
import type { RecordSuite } from './record-suite.ts';

const racers = Array.from({ length: 20 }, (_, i) => i);

export function describeRecordRaces(suite: RecordSuite): void {
  it('lets at most one of 20 commits win each rev, and the losers write nothing', async () => {
    let rev = 0;
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        racers.map((racer) =>
          suite.commit(
            suite.put('contested', { round, racer }, rev === 0 ? 'absent' : rev),
            suite.put(`trace/${round}/${racer}`),
          ),
        ),
      );
      const winners = racers.filter((racer) => answers[racer] === 'committed');
      expect(winners.length).toBeLessThanOrEqual(1);
      if (winners.length === 1) rev++;
      const traces = winners.map((racer) => `trace/${round}/${racer}`);
      expect((await suite.sorts()).filter((s) => s.startsWith(`trace/${round}/`))).toEqual(traces);
      expect((await suite.read('contested'))?.rev ?? 0).toBe(rev);
    }
    // Somebody must win now and then, or nothing ever comes of anything.
    expect(rev).toBeGreaterThan(0);
  });

  it('loses no increment of 20 that read, commit and try again', async () => {
    const wonRevs: number[] = [];
    await Promise.all(
      racers.map(async () => {
        for (;;) {
          const found = await suite.read('counter');
          const rev = found?.rev ?? 0;
          const next = Number(found?.value ?? 0) + 1;
          const answer = await suite.commit(suite.put('counter', next, rev || 'absent'));
          if (answer === 'committed') {
            wonRevs.push(rev + 1);
            return;
          }
        }
      }),
    );
    expect(await suite.read('counter')).toEqual({ value: 20, rev: 20 });
    expect(wonRevs.toSorted((a, b) => a - b)).toEqual(racers.map((i) => i + 1));
  });

  it('keeps two commits from resting on each other`s past (write skew)', async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [`a${round}`, `b${round}`];
      await suite.store(a, b);
      const onlyIf = (sort: string) =>
        ({ kind: 'check', key: suite.key(sort), expect: 1 }) as const;
      const answers = await Promise.all([
        suite.commit(onlyIf(a), suite.put(b, 'changed', 1)),
        suite.commit(onlyIf(b), suite.put(a, 'changed', 1)),
      ]);
      expect(answers).not.toEqual(['committed', 'committed']);
    }
  });

  it('does commits that share no key side by side', async () => {
    const pairs = racers.map((i) => [suite.put(`a${i}`), suite.put(`b${i}`)]);
    const answers = await Promise.all(pairs.map((writes) => suite.commit(...writes)));
    expect(answers).toEqual(pairs.map(() => 'committed'));
    expect(await suite.sorts()).toHaveLength(40);
  });

  it('lets no reader see a state older than what was acknowledged before it asked', async () => {
    let acknowledged = 0;
    const write = async (): Promise<void> => {
      for (let rev = 1; rev <= 30; rev++) {
        await suite.commit(suite.put('a', rev, rev === 1 ? 'absent' : rev - 1));
        acknowledged = rev;
      }
    };
    const read = async (ask: () => Promise<number>): Promise<void> => {
      for (let least = 0; least < 30; least = acknowledged) {
        expect(await ask()).toBeGreaterThanOrEqual(least);
        await new Promise(setImmediate);
      }
    };
    const key = suite.key('a');
    await Promise.all([
      write(),
      read(async () => (await suite.records.get(key))?.rev ?? 0),
      read(async () => (await suite.records.getMany([key]))[0]?.rev ?? 0),
    ]);
    expect(acknowledged).toBe(30);
  });
}
