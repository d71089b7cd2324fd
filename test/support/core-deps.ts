import { setImmediate } from 'node:timers/promises';
import { inProcessSignal } from '../../src/adapters/local/in-process-signal.ts';
import { signedUploadGate } from '../../src/adapters/local/signed-upload-gate.ts';
import { checkEvents } from '../../src/adapters/runtime/event-limits.ts';
import { uuidIds } from '../../src/adapters/runtime/uuid-ids.ts';
import type { Deps } from '../../src/core/deps.ts';
import { commitLanes } from '../../src/core/journal/commit-lanes.ts';
import type { BusEvent, EventBus } from '../../src/ports/event-bus.ts';
import type { Log, LogFields } from '../../src/ports/log.ts';
import type { Metrics } from '../../src/ports/metrics.ts';
import { ManualClock } from './manual-clock.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { memoryJobQueue } from './memory-job-queue.ts';
import { memoryRecords } from './memory-records.ts';

/** All that a use case can ask for, in memory. */
export interface CoreDeps extends Omit<
  Deps,
  'verifier' | 'workflows' | 'secrets' | 'partners' | 'probe'
> {
  readonly clock: ManualClock;
  readonly bus: RecordingBus;
  readonly log: RecordingLog;
  readonly metrics: RecordingMetrics;
}

/** `coreDeps({ records: faultyRecords(…) })`. The clock stands still, and nobody sleeps on it. */
export function coreDeps(given: Partial<CoreDeps> = {}): CoreDeps {
  const clock = given.clock ?? new SleeplessClock();
  const parts = {
    records: memoryRecords(clock),
    blobs: memoryBlobs(),
    uploads: signedUploadGate({ url: 'https://hms.test', key: new Uint8Array(32), clock }),
    bus: recordingBus(),
    signal: inProcessSignal(),
    clock,
    ids: uuidIds(clock),
    log: recordingLog(),
    metrics: recordingMetrics(),
    queue: memoryJobQueue(clock),
    // More than one, so that tests meet what comes of it.
    jobJournals: 2,
    ...given,
  };
  return { lanes: commitLanes(parts), ...parts };
}

/** The same as another process would have it: what is `given`, and lanes of its own on that. */
export function processDeps(deps: CoreDeps, given: Partial<CoreDeps> = {}): CoreDeps {
  const parts = { ...deps, ...given };
  return { ...parts, lanes: commitLanes(parts) };
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

/** What was told to one method of Metrics: its name, then its arguments. */
export type ToldMetric = {
  [Name in keyof Metrics]: readonly [Name, ...Parameters<Metrics[Name]>];
}[keyof Metrics];

export interface RecordingMetrics extends Metrics {
  readonly told: readonly ToldMetric[];
}

function recordingMetrics(): RecordingMetrics {
  const told: ToldMetric[] = [];
  return {
    told,
    requestDone: (...args) => void told.push(['requestDone', ...args]),
    serviceCalled: (...args) => void told.push(['serviceCalled', ...args]),
    serviceAnswerBroke: (...args) => void told.push(['serviceAnswerBroke', ...args]),
    servicesSeen: (...args) => void told.push(['servicesSeen', ...args]),
    eventsRelayed: (...args) => void told.push(['eventsRelayed', ...args]),
    runsOpen: (...args) => void told.push(['runsOpen', ...args]),
    jobEnded: (...args) => void told.push(['jobEnded', ...args]),
    jobFailed: (...args) => void told.push(['jobFailed', ...args]),
    jobsOpen: (...args) => void told.push(['jobsOpen', ...args]),
  };
}
