import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemError } from '../../../../sdk/src/api/errors.ts';
import { PollLoop } from '../../../../sdk/src/policies/poll-loop.ts';
import { pass, stopTime } from '../../../support/fake-time.ts';

const clients = 200;

const problem = {
  type: 'urn:hms:problem:too_many_requests',
  title: 'Too many requests',
  status: 429,
  code: 'too_many_requests',
  detail: 'Wait 1 s.',
  requestId: 'r',
} as const;

/** Clients that are woken at the same moment, over and over. */
class Herd {
  readonly #loops: readonly PollLoop[];
  readonly #closing = new AbortController();
  /** When each asked since the last wake, in ms after it. */
  asked: number[] = [];
  /** What refuses, and how many times each. */
  refusals = 0;
  #wokenMs = 0;

  constructor() {
    this.#loops = Array.from({ length: clients }, () => {
      let refused = 0;
      return new PollLoop({
        check: async () => {
          this.asked.push(performance.now() - this.#wokenMs);
          if (refused++ < this.refusals) throw new ProblemError(problem, 1000);
          return true;
        },
        intervalMs: () => 3_600_000,
        isBehind: () => false,
        onSuccess: () => (refused = 0),
        onFailure: () => undefined,
        keepsAlive: true,
      });
    });
    for (const loop of this.#loops) void loop.run(this.#closing.signal);
  }

  async wake(): Promise<readonly number[]> {
    this.asked = [];
    this.#wokenMs = performance.now();
    for (const loop of this.#loops) loop.wake();
    await pass(20_000);
    return this.asked.toSorted((a, b) => a - b);
  }

  close(): void {
    this.#closing.abort();
  }
}

describe('clients that are woken together', () => {
  let herd: Herd;
  beforeEach(async () => {
    stopTime();
    herd = new Herd();
    await pass(1000);
  });
  afterEach(() => {
    herd.close();
    vi.useRealTimers();
  });

  it('ask at once, as long as the service takes them all', async () => {
    const asked = await herd.wake();
    expect(asked).toHaveLength(clients);
    expect(asked.at(-1)).toBeLessThan(100);
  });

  it('come back over a second, each at a moment of its own, when it refuses them', async () => {
    herd.refusals = 1;
    const asked = await herd.wake();
    const again = asked.slice(clients);
    expect(again).toHaveLength(clients);
    expect(again[0]).toBeGreaterThanOrEqual(1000);
    expect(again.at(-1)).toBeLessThan(2200);
    for (let fromMs = 1000; fromMs < 2000; fromMs += 100) {
      const share = again.filter((ms) => ms >= fromMs && ms < fromMs + 100).length;
      expect(share, `${fromMs}`).toBeLessThan(clients / 4);
    }
  });

  it('spread the next time, and less each time that it takes them all', async () => {
    herd.refusals = 2;
    await herd.wake();
    herd.refusals = 0;
    const last: number[] = [];
    for (let times = 0; times < 7; times++) last.push((await herd.wake()).at(-1) ?? 0);
    expect(last[0]).toBeGreaterThan(1000);
    expect(last[0]).toBeLessThan(2200);
    expect(last[1]).toBeLessThan(1200);
    expect(last.at(-1)).toBeLessThan(100);
  });
});
