import { beforeEach, describe, expect, it } from 'vitest';
import { circuitsPartition } from '../../../src/core/gateway/circuit-record.ts';
import { ServiceState } from '../../../src/core/gateway/service-state.ts';
import type { TimedOutcome } from '../../../src/core/gateway/try-target.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { someManifest } from '../../support/gateway-desk.ts';

const ref = { tenant: 'demo', name: 'check' };
const manifest = someManifest({ url: 'http://127.0.0.1:9' });
const well: TimedOutcome = {
  isCallers: false,
  outcome: {
    kind: 'answered',
    answer: { status: 200, headers: [], body: null, discard: () => undefined },
  },
};
const failing = (
  failure: 'unanswered' | 'cancelled' | 'timed_out',
  isCallers = false,
): TimedOutcome => ({
  isCallers,
  outcome: { kind: 'failed', failure, reason: 'a test' },
});
const failed = failing('unanswered');

/** One process of those that call the service. */
class Process {
  readonly #state: ServiceState;

  constructor(deps: CoreDeps) {
    this.#state = new ServiceState(deps, ref);
  }

  get circuit() {
    return this.#state.targets(manifest)[0]!.state.circuit;
  }

  /** What a call finds. */
  async standing(): Promise<string> {
    const { circuit } = this;
    await this.#state.refresh();
    return circuit.standing();
  }

  async run(result: TimedOutcome, times = 1): Promise<void> {
    for (let i = 0; i < times; i++) await this.circuit.run(async () => result, false);
  }

  /** Null: somebody else probes, or it is too soon. */
  async probe(result: TimedOutcome | Promise<TimedOutcome>): Promise<void | null> {
    await this.standing();
    if (!(await this.circuit.takeProbe(5000))) return null;
    await this.circuit.run(async () => result, true);
  }
}

describe('a circuit that processes share', () => {
  let deps: CoreDeps;
  let one: Process;
  let two: Process;
  beforeEach(async () => {
    deps = coreDeps();
    one = new Process(deps);
    two = new Process(deps);
    expect([await one.standing(), await two.standing()]).toEqual(['closed', 'closed']);
  });
  const pass = (ms: number) => deps.clock.set(deps.clock.nowMs() + ms);
  const stored = () => deps.records.query({ partition: circuitsPartition(ref), limit: 10 });

  it('opens with five failures in a row, and for all within a second', async () => {
    await one.run(failed, 4);
    await one.run(well);
    await one.run(failed, 4);
    expect(await one.standing()).toBe('closed');
    await one.run(failed);
    expect(await one.standing()).toBe('open');
    expect(await two.standing()).toBe('closed');
    pass(1000);
    expect(await two.standing()).toBe('open');
    // And for one that begins now.
    expect(await new Process(deps).standing()).toBe('open');
  });

  it('opens when half of the calls fail, from twenty up', async () => {
    for (let i = 0; i < 9; i++) {
      await one.run(failed);
      await one.run(well);
    }
    await one.run(failed);
    expect(await one.standing()).toBe('closed');
    await one.run(failed);
    expect(await one.standing()).toBe('open');
  });

  it('forgets what failed more than ten seconds ago', async () => {
    for (let i = 0; i < 9; i++) {
      await one.run(failed);
      await one.run(well);
    }
    pass(10_000);
    await one.run(failed, 3);
    expect(await one.standing()).toBe('closed');
  });

  it('blames the target for nothing that a caller did', async () => {
    await one.run(failing('cancelled'), 30);
    await one.run(failing('timed_out', true), 30);
    expect(await one.standing()).toBe('closed');
    await one.run(failed, 4);
    // Nor does that make it well.
    await one.run(failing('cancelled'));
    await one.run(failing('timed_out'));
    expect(await one.standing()).toBe('open');
  });

  it('lets one process at a time probe, when its time is over', async () => {
    await one.run(failed, 5);
    pass(4999);
    expect(await one.standing()).toBe('open');
    expect(await one.probe(well)).toBeNull();
    pass(1);
    expect([await one.standing(), await two.standing()]).toEqual(['probe', 'probe']);
    const answered = Promise.withResolvers<TimedOutcome>();
    const probing = two.probe(answered.promise);
    await new Promise(setImmediate);
    expect(await two.standing()).toBe('open');
    // It has not heard of it, and asks: the record says no.
    expect(await one.probe(well)).toBeNull();
    expect(await one.standing()).toBe('open');
    answered.resolve(well);
    await probing;
    expect(await two.standing()).toBe('closed');
    pass(1000);
    expect(await one.standing()).toBe('closed');
    expect(await stored()).toEqual([]);
  });

  it('stays open for longer each time that a probe fails, up to a minute', async () => {
    await one.run(failed, 5);
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      waits.push(one.circuit.waitMs());
      pass(one.circuit.waitMs());
      expect(await one.probe(failed)).toBeUndefined();
    }
    expect(waits).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    pass(1000);
    expect(await two.standing()).toBe('open');
    expect(two.circuit.waitMs()).toBe(59_000);
    pass(59_000);
    await two.probe(well);
    expect(await two.standing()).toBe('closed');
    await two.run(failed, 5);
    // It was well in between.
    expect(two.circuit.waitMs()).toBe(5000);
  });

  it('takes a probe that says nothing for one that failed', async () => {
    await one.run(failed, 5);
    pass(5000);
    await one.probe(failing('cancelled'));
    expect(await one.standing()).toBe('open');
    expect(one.circuit.waitMs()).toBe(10_000);
  });

  it('lets another process probe when one died of it', async () => {
    await one.run(failed, 5);
    pass(5000);
    void one.probe(new Promise<never>(() => undefined));
    await new Promise(setImmediate);
    pass(1000);
    expect(await two.standing()).toBe('open');
    pass(9000);
    expect(await two.standing()).toBe('probe');
    await two.probe(well);
    expect(await two.standing()).toBe('closed');
  });

  it('does not take back what it has just said, for what it read before', async () => {
    const held = Promise.withResolvers<void>();
    const after = () => held.promise;
    const records = faultyRecords(deps.records, { query: ['none', { after }] });
    const slow = new Process({ ...deps, records });
    expect(await slow.standing()).toBe('closed');
    pass(1000);
    const looking = slow.standing();
    await slow.run(failed, 5);
    held.resolve();
    expect(await looking).toBe('open');
    pass(1000);
    expect(await slow.standing()).toBe('open');
  });

  it('goes by what it sees itself when the store does not answer', async () => {
    const records = faultyRecords(deps.records, () => 'not-written');
    const alone = new Process({ ...deps, records });
    expect(await alone.standing()).toBe('closed');
    await alone.run(failed, 5);
    pass(2000);
    expect(await alone.standing()).toBe('open');
    pass(3000);
    expect(await alone.standing()).toBe('probe');
    await alone.probe(well);
    expect(await alone.standing()).toBe('closed');
    expect(deps.log.lines.map(({ msg }) => msg)).toContain('circuit not shared');
  });

  it.each([
    [1, 'not-written'],
    [1, 'written-but-failed'],
    [1, 'conflict'],
    [2, 'not-written'],
    [2, 'written-but-failed'],
    [2, 'conflict'],
    [3, 'not-written'],
    [3, 'written-but-failed'],
    [3, 'conflict'],
  ] as const)('closes in the end when write %i is %s', async (at, fault) => {
    const records = faultyRecords(deps.records, ({ method, nth }) =>
      method === 'commit' && nth === at ? fault : 'none',
    );
    const unlucky = new Process({ ...deps, records });
    await unlucky.run(failed, 5);
    expect(await unlucky.standing()).toBe('open');
    for (let second = 0; second < 30; second++) {
      pass(1000);
      if ((await unlucky.standing()) === 'probe') await unlucky.probe(well);
    }
    expect(await unlucky.standing()).toBe('closed');
    expect(await two.standing()).toBe('closed');
    expect(await stored()).toEqual([]);
  });

  it('opens once for two who find it out at once', async () => {
    await Promise.all([one.run(failed, 5), two.run(failed, 5)]);
    expect(await stored()).toHaveLength(1);
    pass(5000);
    expect([await one.standing(), await two.standing()]).toEqual(['probe', 'probe']);
    await one.probe(well);
    pass(1000);
    expect(await two.standing()).toBe('closed');
  });

  it('is forgotten when nobody calls for a while', async () => {
    await one.run(failed, 5);
    pass(5000 + 600_000);
    expect(await stored()).toEqual([]);
    expect(await two.standing()).toBe('closed');
    expect(await one.standing()).toBe('closed');
  });
});
