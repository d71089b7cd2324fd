import { describe, expect, it } from 'vitest';
import type { Ids } from '../../src/ports/ids.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** What every Ids must do. `make` is given the clock that the ids take their time from. */
export function describeIds(name: string, make: (clock: ManualClock) => Ids): void {
  describe(`Ids: ${name}`, () => {
    it('makes ids of 20 to 40 lower-case letters, digits and hyphens', () => {
      const ids = make(new ManualClock());
      for (let i = 0; i < 1000; i++) expect(ids.next()).toMatch(/^[0-9a-z-]{20,40}$/);
    });

    it('makes no id twice, also in several processes at one time', () => {
      const clock = new ManualClock();
      const makers = Array.from({ length: 20 }, () => make(clock));
      const made = makers.flatMap((ids) => Array.from({ length: 5000 }, () => ids.next()));
      expect(new Set(made).size).toBe(made.length);
    });

    it('makes ids that sort by time, within a millisecond and over many', () => {
      const clock = new ManualClock();
      const ids = make(clock);
      const made: string[] = [];
      for (const stepMs of [0, 1, 0, 1000, 86_400_000, 31_536_000_000]) {
        clock.set(clock.nowMs() + stepMs);
        for (let i = 0; i < 10_000; i++) made.push(ids.next());
      }
      expect(made.toSorted()).toEqual(made);
    });

    it('makes ids that sort, and differ, when the clock steps back', () => {
      const clock = new ManualClock();
      const ids = make(clock);
      const made = [ids.next()];
      for (let i = 0; i < 1000; i++) {
        clock.set(clock.nowMs() - 10);
        made.push(ids.next());
      }
      expect(made.toSorted()).toEqual(made);
      expect(new Set(made).size).toBe(made.length);
    });

    it('sorts ids of different processes by their time', () => {
      const clock = new ManualClock();
      const earlier = make(clock).next();
      clock.set(clock.nowMs() + 1);
      expect(make(clock).next() > earlier).toBe(true);
    });

    it('makes ids that cannot be guessed from the one before: 60 bits of each are its own', () => {
      const ids = make(new ManualClock());
      const made = Array.from({ length: 5000 }, () => ids.next());
      const changes = Array.from(made[0] ?? '', (_, at) => {
        const changed = made.filter((id, i) => i > 0 && id[at] !== made[i - 1]?.[at]);
        return changed.length / made.length;
      });
      // A random hex digit differs from the one before 15 times in 16; a counter's, always or seldom.
      const randomDigits = changes.filter((share) => share > 0.9 && share < 0.99);
      expect(randomDigits.length * 4).toBeGreaterThanOrEqual(60);
    });
  });
}
