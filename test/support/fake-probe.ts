import type { Clock } from '../../src/ports/clock.ts';
import type { HealthProbe, ProbeResult } from '../../src/ports/health-probe.ts';

/** A status; or that nothing listens, or that no answer ever comes. */
export type FakeAnswer = number | 'refused' | 'hangs';

interface MadeProbe {
  readonly url: string;
  readonly atMs: number;
}

/** The fake of the HealthProbe: what a URL answers is what the test says. */
export class FakeProbe implements HealthProbe {
  /** Every probe that was begun. */
  readonly made: MadeProbe[] = [];
  /** 200, unless told. */
  answer: (url: string) => FakeAnswer | Promise<FakeAnswer> = () => 200;
  /** How long an answer takes. */
  tookMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async probe(url: string, timeoutMs: number, signal?: AbortSignal): Promise<ProbeResult> {
    this.made.push({ url, atMs: this.#clock.nowMs() });
    const answer = this.refusal(url) === null ? await this.answer(url) : 'refused';
    if (answer === 'refused') return { ok: false, detail: 'no answer (ECONNREFUSED)', tookMs: 0 };
    const isLate = answer === 'hangs' || this.tookMs > timeoutMs;
    const tookMs = isLate ? timeoutMs : this.tookMs;
    if (tookMs > 0) await this.#clock.sleep(tookMs, signal);
    if (isLate) return { ok: false, detail: `no answer in ${timeoutMs} ms`, tookMs };
    return { ok: answer >= 200 && answer < 300, detail: `answered ${answer}`, tookMs };
  }

  refusal(text: string): string | null {
    const url = URL.parse(text);
    const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
    if (!isHttp) return 'must be an http or https URL that can be used';
    const isForbidden = url.hostname === '169.254.169.254';
    return isForbidden ? 'must not lead to this machine or a private network' : null;
  }
}
