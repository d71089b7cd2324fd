import type { Api } from '../api/api.ts';
import { PushLoop } from '../push/push-loop.ts';
import { ssePush } from '../push/sse-push.ts';
import { webSocketPush } from '../push/web-socket-push.ts';
import { ReceiptSender } from '../receipts/receipt-sender.ts';
import { Alarm } from './alarm.ts';
import type { Announcements } from './announcements.ts';
import type { PolicyChanged } from './client-events.ts';
import type { ClientOptions, Settings } from './client-options.ts';
import { ExpectedChanges } from './expected-changes.ts';
import { ruleFetcher } from './fetch-rule.ts';
import type { Freshness } from './freshness.ts';
import { RuleRefused } from './policy-errors.ts';
import { PolicySync } from './policy-sync.ts';
import { PollLoop } from './poll-loop.ts';
import type { Readiness } from './readiness.ts';
import type { BoardEntry, RuleBoard } from './rule-board.ts';
import { RuleBodies, type RuleFailure } from './rule-bodies.ts';
import type { OpenCopy, RuleCopy } from './rule-copy.ts';

/** What is run, and how it is told: shared with who reads it. */
export interface RunnerState {
  readonly board: RuleBoard;
  readonly freshness: Freshness;
  readonly readiness: Readiness;
  readonly says: Announcements;
}

/** While pushes come, polls are only there in case they lie. */
const leastPollMsWithPush = 60_000;
/** So many intervals without an answer make the rules stale. */
const staleAfterIntervals = 3;
/** As often as that a reader of a candidate asks before it lapses. */
const pollsPerTrial = 3;
/** Who has a copy does not wait for longer for a service that does not answer. */
const copyAfterMs = 3000;
/** Clocks are set, and machines sleep. */
const maxSleepMs = 60_000;

/** All that goes on in the background of a client. */
export class PolicyRunner {
  readonly #settings: Settings;
  readonly #state: RunnerState;
  readonly #bodies: RuleBodies;
  readonly #sync: PolicySync;
  readonly #poll: PollLoop;
  readonly #push: PushLoop | undefined;
  readonly #receipts: ReceiptSender | undefined;
  readonly #copy: RuleCopy | undefined;
  readonly #expected: ExpectedChanges;
  readonly #dueAlarm: Alarm;
  #error: unknown;
  #hasCopy = false;
  /** The tag that was saved last; undefined when what is run has changed since. */
  #savedTag: string | null | undefined;

  constructor(
    api: Api,
    options: ClientOptions,
    settings: Settings,
    state: RunnerState,
    openCopy: OpenCopy | undefined,
  ) {
    const { keepsAlive } = settings;
    this.#settings = settings;
    this.#state = state;
    this.#bodies = new RuleBodies(ruleFetcher(api, options.verify), keepsAlive);
    this.#dueAlarm = new Alarm(keepsAlive);
    this.#sync = this.#makeSync(api, options);
    this.#expected = new ExpectedChanges((id) => this.#genOf(id));
    this.#poll = this.#makePoll();
    this.#push = this.#makePush(api);
    this.#receipts = this.#makeReceipts(api, options.subject);
    this.#copy = openCopy?.((error) => state.says.cacheFailed(error));
  }

  /** Why the last poll failed; undefined when it did not. */
  get error(): unknown {
    return this.#error;
  }

  get push(): 'off' | 'up' | 'down' {
    if (this.#push === undefined) return 'off';
    return this.#push.isUp ? 'up' : 'down';
  }

  get receipts(): ReceiptSender['status'] | null {
    return this.#receipts?.status ?? null;
  }

  get isComplete(): boolean {
    return this.#sync.isComplete;
  }

  get isStale(): boolean {
    return this.#state.freshness.isStale(this.#staleAfterMs);
  }

  /** Why a rule that the service names is not run; undefined when it is, or none is named. */
  failureOf(id: string): RuleFailure | undefined {
    const awaited = this.#sync.awaited(id);
    return awaited === null ? undefined : this.#bodies.failureOf(awaited);
  }

  decided(id: string, count: number): void {
    const rule = this.#state.board.inForce(id, Date.now());
    if (rule !== null) this.#receipts?.decided(id, rule.snapshot, count);
  }

  /** Until the signal aborts, and some seconds longer for what must be finished. Never rejects. */
  async run(closing: AbortSignal): Promise<void> {
    await this.#resume();
    await Promise.all([
      this.#poll.run(closing),
      this.#push?.run(closing),
      this.#receipts?.run(closing),
      this.#switchWhenDue(closing),
      this.#settleForCopy(closing),
    ]);
    await this.#copy?.settled();
  }

  #makeSync(api: Api, { subject, region }: ClientOptions): PolicySync {
    const { board, says } = this.#state;
    const { channel, only } = this.#settings;
    return new PolicySync(
      {
        api,
        board,
        bodies: this.#bodies,
        says,
        place: (entries) => this.#place(entries),
        onFailure: (failure) => this.#tellFailure(failure),
        onMended: () => this.#poll.wake(),
      },
      { channel, only, subject, region },
    );
  }

  #makePoll(): PollLoop {
    return new PollLoop({
      check: async (signal) => this.#sync.check(signal),
      intervalMs: () => this.#intervalMs,
      isBehind: () => this.#expected.isBehind,
      onSuccess: (startedAtMs) => this.#confirm(startedAtMs),
      onFailure: (error, failures, retryInMs) => this.#fail(error, failures, retryInMs),
      keepsAlive: this.#settings.keepsAlive,
    });
  }

  #makePush(api: Api): PushLoop | undefined {
    const { channel, push, keepsAlive } = this.#settings;
    const { says } = this.#state;
    if (push === 'none') return undefined;
    return new PushLoop({
      source: push === 'sse' ? ssePush(api, channel) : webSocketPush(api, channel),
      // What changed just before it opened, nobody pushes.
      onOpen: () => this.#poll.wake(),
      onChange: (message) => this.#hear(message),
      onLost: () => this.#poll.reschedule(),
      says,
      keepsAlive,
    });
  }

  #makeReceipts(api: Api, subject: string | undefined): ReceiptSender | undefined {
    const { channel, receipts, keepsAlive } = this.#settings;
    const { says } = this.#state;
    if (!receipts) return undefined;
    return new ReceiptSender({ api, channel, subject, says, keepsAlive });
  }

  get #intervalMs(): number {
    const { pollMs } = this.#settings;
    const canRest = this.#push?.isUp === true && this.#sync.isComplete;
    const intervalMs = canRest ? Math.max(pollMs, leastPollMsWithPush) : pollMs;
    // What is on trial must not lapse between two polls.
    return Math.min(intervalMs, this.#state.board.leastHoldMs() / pollsPerTrial);
  }

  get #staleAfterMs(): number {
    return staleAfterIntervals * this.#intervalMs;
  }

  #genOf(id: string): number {
    return Math.max(this.#sync.genOf(id), this.#state.board.get(id)?.gen ?? 0);
  }

  /** A pushed message only makes the client ask: what it says is not taken for true. */
  #hear(message: string): void {
    const { only } = this.#settings;
    const { id, gen } = changeIn(message);
    const isKnown = typeof id === 'string' && Number.isSafeInteger(gen);
    if (isKnown && only?.has(id) === false) return;
    if (isKnown && !this.#expected.expect(id, gen as number)) return;
    this.#poll.wake();
  }

  /** All of them at once, and then it is told. */
  #place(entries: readonly BoardEntry[]): void {
    const nowMs = Date.now();
    const { board } = this.#state;
    this.#savedTag = undefined;
    this.#tick(nowMs);
    this.#announce(board.put(entries, nowMs));
    this.#dueAlarm.ring();
  }

  #tick(nowMs: number): void {
    const changes = this.#state.board.tick(nowMs);
    this.#announce(changes);
    if (changes.some(({ reason }) => reason === 'lapsed')) {
      this.#sync.unsettle();
      this.#poll.wake();
    }
  }

  #announce(changes: readonly PolicyChanged[]): void {
    const { readiness, says } = this.#state;
    if (changes.length === 0 || !readiness.isReady) return;
    for (const { id, snapshot } of changes) {
      if (snapshot !== null) this.#receipts?.applied(id, snapshot);
    }
    says.updated(changes);
  }

  #tellFailure(failure: RuleFailure): void {
    const { named, error } = failure;
    this.#state.says.failed(failure);
    if (error instanceof RuleRefused) {
      this.#receipts?.refused(named.id, named.snapshot, error.message);
    }
  }

  #confirm(checkedAtMs: number): void {
    const { freshness, says } = this.#state;
    const wasStale = freshness.confirm(checkedAtMs);
    if (wasStale || this.#error !== undefined) says.recovered();
    this.#error = undefined;
    this.#becomeReady('service');
    // A copy is begun with what everyone has: a candidate may have been taken back since.
    const isOnTrial = this.#state.board.leastHoldMs() < Infinity;
    const etag = isOnTrial ? null : this.#sync.etag;
    if (this.#savedTag === etag && this.#copy?.isBroken === false) this.#copy.confirm(checkedAtMs);
    else this.#save(etag, checkedAtMs);
  }

  #save(etag: string | null, checkedAtMs: number): void {
    this.#savedTag = etag;
    this.#copy?.save(() => ({
      etag,
      checkedAtMs,
      entries: this.#state.board.entries(),
      ruleOf: (named) => this.#bodies.get(named),
    }));
  }

  #fail(error: unknown, failures: number, retryInMs: number): void {
    this.#error = error;
    this.#state.says.pollFailed(error, failures, retryInMs);
    this.#useCopy();
    this.#tellStale();
  }

  #tellStale(): void {
    const { freshness, readiness, says } = this.#state;
    if (readiness.isReady && freshness.becomesStale(this.#staleAfterMs)) {
      says.stale(freshness.checkedAt);
    }
  }

  #becomeReady(source: 'service' | 'cache'): void {
    const { board, readiness, says } = this.#state;
    if (readiness.isReady) return;
    readiness.reach();
    const nowMs = Date.now();
    for (const { id } of board.entries()) {
      const rule = board.inForce(id, nowMs);
      if (rule !== null) this.#receipts?.applied(id, rule.snapshot);
    }
    says.ready(source, board.size);
  }

  async #resume(): Promise<void> {
    const { board, freshness, says } = this.#state;
    try {
      const restored = await this.#copy?.load();
      if (!restored) return;
      for (const [named, rule] of restored.rules) this.#bodies.keep(named, rule);
      board.hear(restored.checkedAtMs);
      board.put(restored.entries, Date.now());
      freshness.resume(restored.checkedAtMs);
      this.#sync.resume(restored.etag);
      this.#savedTag = restored.etag;
      this.#hasCopy = restored.entries.length > 0;
    } catch (error) {
      says.cacheIgnored(error);
    }
  }

  #useCopy(): void {
    if (this.#hasCopy && !this.#state.freshness.isTooOld()) this.#becomeReady('cache');
  }

  /** The service may not even refuse to answer. */
  async #settleForCopy(closing: AbortSignal): Promise<void> {
    if (!this.#hasCopy) return;
    const patience = new Alarm(this.#settings.keepsAlive);
    await patience.wait(copyAfterMs, closing);
    if (closing.aborted || this.#state.readiness.isReady) return;
    this.#useCopy();
    this.#tellStale();
  }

  /** Rules whose time has come take effect by the clock of this machine, without the service. */
  async #switchWhenDue(closing: AbortSignal): Promise<void> {
    const { board } = this.#state;
    while (!closing.aborted) {
      this.#tick(Date.now());
      const waitMs = board.nextDueMs() - Date.now();
      await this.#dueAlarm.wait(
        waitMs === Infinity ? waitMs : Math.min(waitMs, maxSleepMs),
        closing,
      );
    }
  }
}

function changeIn(message: string): { readonly id?: unknown; readonly gen?: unknown } {
  try {
    return (JSON.parse(message) as object | null) ?? {};
  } catch {
    return {};
  }
}
