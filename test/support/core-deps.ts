import { setImmediate } from 'node:timers/promises';
import { inProcessSignal } from '../../src/adapters/local/in-process-signal.ts';
import { checkEvents } from '../../src/adapters/runtime/event-limits.ts';
import { uuidIds } from '../../src/adapters/runtime/uuid-ids.ts';
import type { Deps } from '../../src/core/deps.ts';
import type { BusEvent, EventBus } from '../../src/ports/event-bus.ts';
import type { Log, LogFields } from '../../src/ports/log.ts';
import { ManualClock } from './manual-clock.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { memoryRecords } from './memory-records.ts';

/** All that a use case can ask for, in memory. */
export interface CoreDeps extends Omit<Deps, 'verifier' | 'workflows' | 'secrets' | 'partners'> {
  readonly clock: ManualClock;
  readonly bus: RecordingBus;
  readonly log: RecordingLog;
}

/** `coreDeps({ records: faultyRecords(…) })`. The clock stands still, and nobody sleeps on it. */
export function coreDeps(given: Partial<CoreDeps> = {}): CoreDeps {
  const clock = given.clock ?? new SleeplessClock();
  return {
    records: memoryRecords(clock),
    blobs: memoryBlobs(),
    bus: recordingBus(),
    signal: inProcessSignal(),
    clock,
    ids: uuidIds(clock),
    log: recordingLog(),
    metrics: {
      requestDone: () => undefined,
      eventsRelayed: () => undefined,
      runsOpen: () => undefined,
    },
    ...given,
  };
}

/** A sleep takes no time, but lets others go first: for what retries. Loops need a ManualClock. */
export class SleeplessClock extends ManualClock {
  override async sleep(): Promise<void> {
    await setImmediate();
  }
}

/** Accepts everything within the limits of the port. */
export interface RecordingBus extends EventBus {
  readonly events: readonly BusEvent[];
}

export function recordingBus(): RecordingBus {
  const events: BusEvent[] = [];
  return {
    events,
    async publish(published) {
      checkEvents(published);
      events.push(...published);
    },
  };
}

export interface LoggedLine extends LogFields {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly msg: string;
}

/** Silent. */
export interface RecordingLog extends Log {
  readonly lines: readonly LoggedLine[];
}

function recordingLog(lines: LoggedLine[] = [], base: LogFields = {}): RecordingLog {
  const at =
    (level: LoggedLine['level']): Log['info'] =>
    (msg, fields) =>
      void lines.push({ ...base, ...fields, level, msg });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => recordingLog(lines, { ...base, ...fields }),
  };
}
