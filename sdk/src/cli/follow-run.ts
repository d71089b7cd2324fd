import type { Api } from '../api/api.ts';
import { sleep } from '../api/delays.ts';
import { readEvents, type StreamState } from '../api/event-source.ts';
import type { RunPage } from '../wire/run.ts';
import { path } from './paths.ts';

/** The page of a run, and how much later it is for the service than for us. */
export interface RunLook {
  readonly page: RunPage;
  readonly aheadMs: number;
}

/** What came together is read once. */
const settleMs = 30;
/** What is found while a stage is under way is no step of the run; and a stream may be kept from us. */
const pollMs = 10_000;

/**
 * A run as it stands, and again after each of its steps, until it has ended. Its stream only tells when
 * to look: a break of it, or a repeat, changes nothing.
 * Errors: those of `Api`; the reason of the signal.
 */
export async function* followRun(
  api: Api,
  run: number,
  given: {
    readonly signal: AbortSignal;
    readonly nowMs: () => number;
    readonly onState?: (state: StreamState) => void;
  },
): AsyncGenerator<RunLook, void, undefined> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([given.signal, leaving.signal]);
  let news = newsToCome();
  let listening: Promise<void> | undefined;
  const listen = async (): Promise<void> => {
    const { onState } = given;
    const stream = { path: path`/api/runs/${run}/events`, signal, ...(onState && { onState }) };
    for await (const _ of readEvents(api, stream)) news.resolve();
    news.resolve();
  };
  try {
    for (;;) {
      news = newsToCome();
      const look = await readRun(api, run, given.nowMs, signal);
      yield look;
      if (look.page.endedAt !== null) return;
      listening ??= listen().catch((error: unknown) => news.reject(error));
      await orAfter(news.promise, pollMs, signal);
      await sleep(settleMs, signal);
    }
  } finally {
    leaving.abort();
    await listening;
  }
}

function newsToCome(): PromiseWithResolvers<void> {
  const news = Promise.withResolvers<void>();
  // It may come while nobody waits for it.
  news.promise.catch(() => undefined);
  return news;
}

/** Waits for something, or for a while; and leaves no timer behind. */
async function orAfter(something: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  try {
    const waited = sleep(ms, AbortSignal.any([signal, over.signal]));
    waited.catch(() => undefined);
    await Promise.race([something, waited]);
  } finally {
    over.abort();
  }
}

/** A run as it stands. */
export async function readRun(
  api: Api,
  run: number,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<RunLook> {
  const { bytes, headers } = await api.send({ path: path`/api/runs/${run}`, signal });
  const page = JSON.parse(new TextDecoder().decode(bytes)) as RunPage;
  const theirsMs = Date.parse(headers.get('date') ?? '');
  // The header has whole seconds: what is within two of them may be the same moment.
  const aheadMs = Number.isNaN(theirsMs) ? 0 : theirsMs - nowMs();
  return { page, aheadMs: Math.abs(aheadMs) < 2000 ? 0 : aheadMs };
}
