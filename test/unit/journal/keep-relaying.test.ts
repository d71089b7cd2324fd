import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepRelaying } from '../../../src/core/journal/keep-relaying.ts';
import type { RelayDeps } from '../../../src/core/journal/relay-journal.ts';
import type { JournalSignal } from '../../../src/ports/journal-signal.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { faultyBus } from '../../support/faulty-bus.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { count } from './notes.ts';

const eventsOf: RelayDeps['eventsOf'] = (tenant, entry) => [
  {
    specversion: '1.0',
    id: `${tenant}/${entry.index}`,
    source: 'hms.test',
    type: 'test.counted',
    subject: entry.subject,
    time: entry.at,
    datacontenttype: 'application/json',
    data: null,
  },
];

describe('keepRelaying', () => {
  let deps: CoreDeps & RelayDeps;
  let stop: AbortController;
  let running: Promise<void> | undefined;

  beforeEach(() => {
    deps = { ...coreDeps({ clock: new ManualClock() }), eventsOf };
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  const relayed = (): string[] => deps.bus.events.map(({ id }) => id);
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await setImmediate();
  };

  it('relays what was there, and each new entry as it comes', async () => {
    await count(deps);
    running = keepRelaying(deps, 'demo', stop.signal);
    await settled();
    expect(relayed()).toEqual(['demo/0']);
    await count(deps);
    await settled();
    expect(relayed()).toEqual(['demo/0', 'demo/1']);
  });

  it('looks every 30 s when nobody tells it', async () => {
    const waits: [string, number, number][] = [];
    const signal: JournalSignal = {
      notify: () => undefined,
      async wait(tenant, index, timeoutMs, aborted) {
        waits.push([tenant, index, timeoutMs]);
        await deps.clock.sleep(timeoutMs, aborted);
      },
    };
    running = keepRelaying({ ...deps, signal }, 'demo', stop.signal);
    await settled();
    await count({ ...deps, signal });
    await deps.clock.advance(29_999);
    expect(relayed()).toEqual([]);
    await deps.clock.advance(1);
    await settled();
    expect(relayed()).toEqual(['demo/0']);
    expect(waits).toEqual([
      ['demo', 0, 30_000],
      ['demo', 1, 30_000],
    ]);
  });

  it('tries again after a failure, at 100, 200, 400 ms …, and starts anew after a success', async () => {
    const failedAtMs: number[] = [];
    const startMs = deps.clock.nowMs();
    const bus = faultyBus(deps.bus, ({ nth }) => {
      if (nth === 4 || nth > 5) return undefined;
      failedAtMs.push(deps.clock.nowMs() - startMs);
      return 'not-written';
    });
    await count(deps);
    running = keepRelaying({ ...deps, bus }, 'demo', stop.signal);
    await deps.clock.advance(10_000);
    expect(failedAtMs).toEqual([0, 100, 300]);
    expect(relayed()).toEqual(['demo/0']);
    await count(deps);
    await deps.clock.advance(99);
    expect(relayed()).toEqual(['demo/0']);
    await deps.clock.advance(1);
    expect(relayed()).toEqual(['demo/0', 'demo/1']);
    expect(deps.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { msg: 'relay failed', journal: 'demo', failures: 0 },
      { failures: 1 },
      { failures: 2 },
      { failures: 0 },
    ]);
  });

  it('waits half a minute at the most, however long it has failed', async () => {
    const bus = faultyBus(deps.bus, () => 'not-written');
    await count(deps);
    running = keepRelaying({ ...deps, bus }, 'demo', stop.signal);
    await deps.clock.advance(600_000);
    const failures = deps.log.lines.length;
    await deps.clock.advance(30_000);
    expect(deps.log.lines).toHaveLength(failures + 1);
  });

  it('ends at once when told to, also while it backs off', async () => {
    running = keepRelaying(deps, 'demo', stop.signal);
    await settled();
    stop.abort();
    await running;

    const again = new AbortController();
    const bus = faultyBus(deps.bus, () => 'not-written');
    await count(deps);
    running = keepRelaying({ ...deps, bus }, 'demo', again.signal);
    await settled();
    expect(deps.clock.sleeping).toBe(1);
    again.abort();
    await running;
  });
});
