import type { Api } from '../api/api.ts';
import { Deadline } from '../api/deadline.ts';
import { retryDelayMs } from '../api/delays.ts';
import { ProblemError } from '../api/errors.ts';
import { Alarm } from '../policies/alarm.ts';
import type { Announcements } from '../policies/announcements.ts';
import type { NewReceipts, Receipt, ReceiptAnswers } from '../wire/receipt.ts';

export interface ReceiptTerms {
  readonly api: Pick<Api, 'send' | 'json'>;
  readonly channel: Receipt['channel'];
  /** The service that runs the rules, when it is not the caller. */
  readonly subject: string | undefined;
  readonly says: Pick<Announcements, 'receiptsFailed' | 'receiptsDropped'>;
  readonly keepsAlive: boolean;
}

/** What is told of one snapshot of a policy. */
interface Report extends Receipt {
  /** How often the service could not take it in. */
  readonly tries: number;
}

const maxPerReport = 100;
const maxWaiting = 10_000;
const maxTries = 3;
const firstWaitMs = 2000;
const decisionsWaitMs = 30_000;
const timeoutMs = 10_000;
const farewellMs = 2000;
const firstDelayMs = 2000;
const maxReasonChars = 1000;
const maxDecisions = 1e9;

/**
 * Tells the service what is run here, in the background: at most 100 at a time, 1 to 2 s after the first; the
 * last of a snapshot counts, and a few seconds lie between two reports. A report whose answer is lost is sent again as the same one. Never more
 * than 10 000 wait: the oldest go first.
 */
export class ReceiptSender {
  readonly #terms: ReceiptTerms;
  readonly #alarm: Alarm;
  readonly #waiting = new Map<string, Report>();
  readonly #decisions = new Map<string, { readonly snapshot: string; count: number }>();
  /** On its way, until it is answered for good. */
  #sending: { readonly reports: readonly Report[]; readonly reportId: string } | undefined;
  #dueMs = Infinity;
  #failures = 0;
  #sent = 0;
  #dropped = 0;
  #isOff = false;

  constructor(terms: ReceiptTerms) {
    this.#terms = terms;
    this.#alarm = new Alarm(terms.keepsAlive);
  }

  get status(): { readonly waiting: number; readonly sent: number; readonly dropped: number } {
    const waiting = this.#waiting.size + (this.#sending?.reports.length ?? 0);
    return { waiting, sent: this.#sent, dropped: this.#dropped };
  }

  applied(policy: string, snapshot: string): void {
    this.#settle(policy);
    this.#add({ policy, snapshot, status: 'applied' });
  }

  refused(policy: string, snapshot: string, why: string): void {
    // One line, as the contract has it, and no half of a character at the end.
    const reason = why
      .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
      .slice(0, maxReasonChars)
      .replace(/\p{Cs}$/u, '')
      .trim();
    this.#add({ policy, snapshot, status: 'refused', reason: reason === '' ? 'refused' : reason });
  }

  /** So many decisions were made under a snapshot. */
  decided(policy: string, snapshot: string, count: number): void {
    if (this.#isOff || !(count > 0)) return;
    const counted = this.#decisions.get(policy);
    if (counted?.snapshot === snapshot) counted.count += count;
    else {
      this.#settle(policy);
      this.#decisions.set(policy, { snapshot, count });
      this.#schedule(decisionsWaitMs);
    }
  }

  /** Until the signal aborts, and for 2 s at the most after that. Never rejects. */
  async run(closing: AbortSignal): Promise<void> {
    while (!closing.aborted) {
      const waitMs = this.#dueMs - performance.now();
      if (waitMs > 0) await this.#alarm.wait(waitMs, closing);
      else await this.#send(closing);
    }
    const farewell = new Deadline(farewellMs);
    this.#settleAll();
    while ((this.#waiting.size > 0 || this.#sending) && !farewell.isOver && !this.#isOff) {
      if (!(await this.#send(farewell.signal))) break;
    }
    farewell.end();
  }

  #add(receipt: Omit<Report, 'channel' | 'tries'>): void {
    if (this.#isOff) return;
    const key = `${receipt.policy}/${receipt.snapshot}`;
    const before = this.#waiting.get(key);
    const decisions = (before?.decisions ?? 0) + (receipt.decisions ?? 0);
    // The last told is the last sent.
    this.#waiting.delete(key);
    this.#waiting.set(key, {
      ...receipt,
      channel: this.#terms.channel,
      ...(decisions === 0 ? {} : { decisions: Math.min(Math.round(decisions), maxDecisions) }),
      tries: 0,
    });
    if (this.#waiting.size > maxWaiting) {
      const [oldest] = this.#waiting.keys();
      this.#waiting.delete(oldest ?? '');
      this.#dropped += 1;
      if (this.#dropped % 1000 === 1) this.#terms.says.receiptsDropped(this.#dropped);
    }
    // After a change, many have the same to tell.
    this.#schedule(firstWaitMs * (0.5 + Math.random() / 2));
  }

  /** Decisions are told before what is run next: the last is what the service stands on. */
  #settle(policy: string): void {
    const counted = this.#decisions.get(policy);
    if (counted === undefined) return;
    this.#decisions.delete(policy);
    const { snapshot, count } = counted;
    this.#add({ policy, snapshot, status: 'applied', decisions: count });
  }

  #settleAll(): void {
    for (const policy of this.#decisions.keys()) this.#settle(policy);
  }

  #schedule(waitMs: number): void {
    const dueMs = performance.now() + waitMs;
    // After a failure it is the back-off that counts.
    if (dueMs >= this.#dueMs || this.#failures > 0) return;
    this.#dueMs = dueMs;
    this.#alarm.ring();
  }

  /** Answers whether it is worth going on at once. */
  async #send(signal: AbortSignal): Promise<boolean> {
    this.#settleAll();
    this.#sending ??= this.#take();
    const { reports, reportId } = this.#sending;
    try {
      if (reports.length > 0) await this.#post(reports, reportId, signal);
      this.#sending = undefined;
      this.#failures = 0;
      this.#dueMs = performance.now() + this.#restMs();
      return true;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      return false;
    }
  }

  #restMs(): number {
    if (this.#waiting.size > 0) return firstWaitMs;
    return this.#decisions.size > 0 ? decisionsWaitMs : Infinity;
  }

  #take() {
    const reports: Report[] = [];
    for (const [key, report] of this.#waiting) {
      if (reports.length === maxPerReport) break;
      reports.push(report);
      this.#waiting.delete(key);
    }
    return { reports, reportId: newId() };
  }

  async #post(reports: readonly Report[], reportId: string, signal: AbortSignal): Promise<void> {
    const receipts = reports.map(({ tries: _, ...receipt }) => receipt);
    const answers = await this.#terms.api.json<ReceiptAnswers>({
      method: 'POST',
      path: '/api/receipts',
      json: { receipts, reportId } satisfies NewReceipts,
      headers: { 'x-subject': this.#terms.subject },
      retries: 0,
      timeoutMs,
      signal,
    });
    for (const [at, report] of reports.entries()) {
      const answer = answers.receipts?.[at];
      const isLost = answer?.status === 'failed' && retryableCodes.has(answer.code);
      if (!isLost) this.#sent += 1;
      else this.#again(report);
    }
  }

  /** Of a report of which all else was taken in. */
  #again(report: Report): void {
    const key = `${report.policy}/${report.snapshot}`;
    const tries = report.tries + 1;
    if (tries < maxTries && !this.#waiting.has(key)) this.#waiting.set(key, { ...report, tries });
  }

  #fail(error: unknown): void {
    this.#failures += 1;
    const isProblem = error instanceof ProblemError;
    // There is no scope for it, or nobody who takes it.
    const isFinal = isProblem && (error.status === 403 || error.status === 404);
    if (isFinal) {
      this.#isOff = true;
      this.#waiting.clear();
      this.#decisions.clear();
    }
    // The same again would be refused again. A token may come yet.
    const isLost = isProblem && !error.retryable && error.status !== 401;
    if (isFinal || isLost) {
      this.#dropped += this.#sending?.reports.length ?? 0;
      this.#sending = undefined;
    }
    if (isFinal || this.#failures === 1) this.#terms.says.receiptsFailed(error, isFinal);
    const waitMs = retryDelayMs(error, this.#failures, firstDelayMs);
    this.#dueMs = isFinal ? Infinity : performance.now() + waitMs;
  }
}

const retryableCodes: ReadonlySet<string> = new Set([
  'too_many_requests',
  'internal',
  'bad_gateway',
  'unavailable',
  'gateway_timeout',
]);

/** Also where `crypto.randomUUID` is missing: in pages without TLS. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
