import type { Api } from '../api/api.ts';
import type { SignalOptions } from '../api/call-options.ts';
import { HmsError } from '../api/errors.ts';
import { Announcements, textOf } from './announcements.ts';
import type { ChangeListener, EventListener } from './client-events.ts';
import { type ClientOptions, type Settings, settingsOf } from './client-options.ts';
import { Freshness } from './freshness.ts';
import type { ClientStatus, GetOptions, PolicyClient, PolicyDescription } from './policy-client.ts';
import { NotReadyError, StaleError, UnknownPolicyError } from './policy-errors.ts';
import { PolicyRunner } from './policy-runner.ts';
import { Readiness } from './readiness.ts';
import { RuleBoard } from './rule-board.ts';
import type { OpenCopy } from './rule-copy.ts';

/** See `PolicyClient`. Does nothing before `start`. */
export class LivePolicies implements PolicyClient {
  readonly #api: Api;
  readonly #settings: Settings;
  readonly #signal: AbortSignal | undefined;
  readonly #board: RuleBoard;
  readonly #settled: ReadonlyMap<string, object>;
  readonly #freshness: Freshness;
  readonly #readiness = new Readiness();
  readonly #says = new Announcements();
  readonly #runner: PolicyRunner;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(api: Api, options: ClientOptions, openCopy: OpenCopy | undefined) {
    this.#api = api;
    this.#settings = settingsOf(options);
    this.#signal = options.signal;
    const { maxStaleMs } = this.#settings;
    this.#board = new RuleBoard(maxStaleMs === Infinity);
    this.#settled = this.#board.settled;
    this.#freshness = new Freshness(maxStaleMs);
    if (options.onEvent !== undefined) this.#says.events.add(options.onEvent);
    const state = {
      board: this.#board,
      freshness: this.#freshness,
      readiness: this.#readiness,
      says: this.#says,
    };
    this.#runner = new PolicyRunner(api, options, this.#settings, state, openCopy);
  }

  start(): void {
    this.#signal?.addEventListener('abort', this.close, { once: true });
    if (this.#signal?.aborted === true) void this.close();
    else this.#running = this.#runner.run(this.#closing.signal);
  }

  readonly ready = async ({ signal }: SignalOptions = {}): Promise<void> =>
    this.#readiness.wait(signal);

  readonly get = async <T = unknown>(id: string, options: GetOptions<T> = {}): Promise<T> => {
    const { signal, fallback } = options;
    signal?.throwIfAborted();
    if (!this.#readiness.isReady) await this.#untilReady(signal, fallback !== undefined);
    return this.getSync(id, fallback);
  };

  readonly getSync = <T = unknown>(id: string, fallback?: T): T => {
    const rule = this.#settled.get(id);
    return rule === undefined ? this.#weigh(id, fallback) : (rule as T);
  };

  readonly describe = (id: string): PolicyDescription | undefined => {
    const entry = this.#board.get(id);
    const failure = this.#runner.failureOf(id);
    if (entry === undefined && failure === undefined) return undefined;
    const nowMs = Date.now();
    const rule = this.#board.inForce(id, nowMs);
    const next = entry?.next;
    return {
      id,
      snapshot: rule?.snapshot ?? null,
      version: rule?.version ?? null,
      gen: entry?.gen ?? 0,
      canaryRun: rule === entry?.current ? entry?.trial?.run : undefined,
      stale: this.#runner.isStale,
      checkedAt: this.#freshness.checkedAt,
      next:
        next === undefined || next === null || next.snapshot === rule?.snapshot
          ? null
          : {
              snapshot: next.snapshot,
              version: next.version,
              effectiveAt: new Date(next.effectiveAtMs),
              isAtHand: next.value !== undefined,
            },
      refused:
        failure === undefined
          ? null
          : {
              snapshot: failure.named.snapshot,
              version: failure.named.version,
              reason: textOf(failure.error),
            },
    };
  };

  readonly decided = (id: string, count = 1): void => this.#runner.decided(id, count);

  readonly onChange = (listener: ChangeListener): (() => void) => this.#says.changes.add(listener);

  readonly onEvent = (listener: EventListener): (() => void) => this.#says.events.add(listener);

  readonly status = (): ClientStatus => ({
    ready: this.#readiness.isReady,
    closed: this.#closed !== undefined,
    stale: this.#runner.isStale,
    checkedAt: this.#freshness.checkedAt,
    policies: this.#board.size,
    complete: this.#readiness.isReady && this.#runner.isComplete,
    push: this.#runner.push,
    error: this.#runner.error,
    receipts: this.#runner.receipts,
  });

  readonly close = async (): Promise<void> => {
    this.#closed ??= this.#end();
    return this.#closed;
  };

  readonly [Symbol.asyncDispose] = this.close;

  async #end(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.close);
    this.#readiness.giveUp(new HmsError('The client is closed.'));
    this.#closing.abort();
    await this.#running;
    this.#says.changes.clear();
    this.#says.events.clear();
  }

  /** The slow way: something waits for its time, or is too old, or is not there. */
  #weigh<T>(id: string, fallback: T | undefined): T {
    const rule = this.#board.inForce(id, Date.now());
    const isTooOld = this.#freshness.isTooOld();
    if (rule !== null && !isTooOld) return rule.value as T;
    if (fallback !== undefined) return fallback;
    const { checkedAt } = this.#freshness;
    if (rule !== null && checkedAt !== null) throw new StaleError(id, checkedAt);
    throw this.#noRule(id);
  }

  async #untilReady(signal: AbortSignal | undefined, hasFallback: boolean): Promise<void> {
    const { readyTimeoutMs } = this.#settings;
    try {
      await this.#readiness.waitFor(readyTimeoutMs, signal, () => this.#whyNotReady());
    } catch (error) {
      if (!hasFallback || signal?.aborted === true) throw error;
    }
  }

  #whyNotReady() {
    const { error } = this.#runner;
    const { baseUrl } = this.#api;
    const why = error === undefined ? 'It has not answered yet.' : textOf(error);
    return { message: `There are no rules from ${baseUrl} yet. ${why}`, cause: error };
  }

  #noRule(id: string): Error {
    if (!this.#readiness.isReady) {
      const { message, cause } = this.#whyNotReady();
      return new NotReadyError(message, cause);
    }
    const { channel } = this.#settings;
    const failure = this.#runner.failureOf(id);
    if (failure !== undefined) {
      const why = `${failure.named.snapshot}: ${textOf(failure.error)}`;
      return new NotReadyError(`The rule of ${id} cannot be had. ${why}`, failure.error);
    }
    const isKnown = this.#board.get(id) !== undefined;
    const what = isKnown ? 'has no rule in force yet' : 'is not known';
    return new UnknownPolicyError(id, `The policy ${id} ${what} in ${channel}.`);
  }
}
