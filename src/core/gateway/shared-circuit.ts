import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import type { ServiceRef } from '../registry/service-keys.ts';
import { Circuit, type Judge } from './circuit.ts';
import { circuitKey, type CircuitRecord, forgetAfterMs, openForMs } from './circuit-record.ts';
import { FailureWindow } from './failure-window.ts';

export type CircuitDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'log'>;

/** Longer than a probe can take, by so much. */
const leaseMarginMs = 5000;
const conflictWaitMs = 1000;

/**
 * The circuit of one target, as one process has it and all of them share it: who finds that it must
 * open says so in a record, and the others go by that when they `learn` of it. When its time is
 * over, one process at a time sends a call as probe.
 *
 * A store that does not answer stops no call: each process then goes by what it sees itself.
 */
export class SharedCircuit<T> {
  /** How calls went that this process made. */
  readonly calls = new FailureWindow();
  readonly #deps: CircuitDeps;
  readonly #ref: ServiceRef;
  readonly #url: string;
  readonly #circuit: Circuit<T>;
  #stored: StoredRecord<CircuitRecord> | undefined;
  #untilMs = 0;
  #times = 0;
  #isProbing = false;
  #untold: 'opened' | 'closed' | null = null;
  /** Rises with each write: what was read before one is out of date. */
  #writes = 0;

  constructor(deps: CircuitDeps, ref: ServiceRef, url: string, judge: Judge<T>) {
    this.#deps = deps;
    this.#ref = ref;
    this.#url = url;
    this.#circuit = new Circuit({
      calls: this.calls,
      nowMs: () => deps.clock.nowMs(),
      judge,
      onChange: (to) => void (this.#untold = to),
    });
  }

  /** Whether a call may go there: as any, not at all, or as the one that probes. */
  standing(): 'closed' | 'open' | 'probe' {
    if (this.#circuit.isClosed) return 'closed';
    return this.#isProbing || this.waitMs() > 0 ? 'open' : 'probe';
  }

  /** How long it will stay open at least. */
  waitMs(): number {
    if (this.#circuit.isClosed) return 0;
    const untilMs = Math.max(this.#untilMs, this.#stored?.value.probe?.untilMs ?? 0);
    return Math.max(0, untilMs - this.#deps.clock.nowMs());
  }

  get writes(): number {
    return this.#writes;
  }

  /** What the store has of it, and how many `writes` there were when that was read. */
  learn(stored: StoredRecord<CircuitRecord> | undefined, writes: number): void {
    if (writes !== this.#writes || this.#isProbing) return;
    const before = this.#stored;
    this.#stored = stored;
    if (stored !== undefined) {
      this.#untilMs = stored.value.untilMs;
      this.#times = stored.value.times;
      if (this.#circuit.isClosed) this.#circuit.resume(stored.value.saved);
    } else if (before !== undefined && !this.#circuit.isClosed) {
      this.#circuit.resume();
    }
  }

  /** Whether the next call is the one that probes; whoever is told so must `run` it as that. */
  async takeProbe(callMs: number): Promise<boolean> {
    if (this.standing() !== 'probe') return false;
    this.#isProbing = true;
    const stored = this.#stored;
    if (stored === undefined) return true;
    const untilMs = this.#deps.clock.nowMs() + callMs + leaseMarginMs;
    const value = { ...stored.value, probe: { by: this.#deps.ids.next(), untilMs } };
    if ((await this.#write(value, stored.rev)) !== 'conflict') return true;
    // Somebody was faster: who, the next look will tell.
    this.#isProbing = false;
    this.#untilMs = this.#deps.clock.nowMs() + conflictWaitMs;
    return false;
  }

  /** As `Circuit.run`; who opens or closes it by that tells the others before it goes on. */
  async run(call: () => Promise<T>, isProbe: boolean): Promise<T | undefined> {
    try {
      return await this.#circuit.run(call, isProbe);
    } finally {
      if (isProbe) this.#isProbing = false;
      await this.#tell();
    }
  }

  /** Tells the others that it has just opened or closed. */
  async #tell(): Promise<void> {
    const told = this.#untold;
    if (told === null) return;
    this.#untold = null;
    const { log, clock } = this.#deps;
    const url = this.#url;
    const stored = this.#stored;
    log.warn(`circuit ${told}`, { ...this.#ref, target: url });
    if (told === 'closed') {
      this.#times = 0;
      if (stored !== undefined) await this.#write(null, stored.rev);
      return;
    }
    const times = this.#times + 1;
    const untilMs = clock.nowMs() + openForMs(times);
    this.#times = times;
    this.#untilMs = untilMs;
    const saved = this.#circuit.save();
    await this.#write({ url, saved, times, untilMs, probe: null }, stored?.rev);
  }

  async #write(
    value: CircuitRecord | null,
    rev: number | undefined,
  ): Promise<'committed' | 'conflict' | 'unknown'> {
    const { records, ids, log } = this.#deps;
    this.#writes += 1;
    try {
      const write = this.#writeOf(value, rev);
      const written = await records.commit([write], ids.next());
      if (written === 'committed') {
        const { key } = write;
        this.#stored = value === null ? undefined : { key, value, rev: (rev ?? 0) + 1 };
      }
      return written;
    } catch (error) {
      log.warn('circuit not shared', { ...this.#ref, target: this.#url, error });
      return 'unknown';
    } finally {
      this.#writes += 1;
    }
  }

  #writeOf(value: CircuitRecord | null, rev: number | undefined): RecordWrite {
    const key = circuitKey(this.#ref, this.#url);
    if (value === null) return { kind: 'delete', key, expect: rev ?? 0 };
    const expiresAtMs = value.untilMs + forgetAfterMs;
    return { kind: 'put', key, value, expect: rev ?? 'absent', expiresAtMs };
  }
}
