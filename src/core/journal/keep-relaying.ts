import type { Deps } from '../deps.ts';
import {
  moveCursor,
  type ReadCursor,
  readCursor,
  type RelayDeps,
  relayPage,
} from './relay-journal.ts';

const idleMs = 30_000;
const maxBackOffMs = 30_000;
/** Of a journal that grows fast the cursor moves so often: moving it is a durable write. */
const cursorEveryMs = 250;

/**
 * Relays a journal as it grows, until `stop`: where one process relays it. What was relayed since
 * the cursor moved last is repeated after a crash. A failure is tried again, with back-off.
 */
export async function keepRelaying(
  deps: RelayDeps & Pick<Deps, 'signal' | 'clock'>,
  journal: string,
  stop: AbortSignal,
): Promise<void> {
  let failures = 0;
  const relay = new LiveRelay(deps, journal);
  while (!stop.aborted) {
    try {
      const waitMs = await relay.advance();
      failures = 0;
      if (waitMs > 0) await deps.signal.wait(journal, relay.nextIndex, waitMs, stop);
    } catch (error) {
      deps.log.error('relay failed', { journal, failures, error });
      await deps.clock.sleep(Math.min(maxBackOffMs, 100 * 2 ** failures), stop);
      failures += 1;
    }
  }
  await relay.save().catch((error: unknown) => deps.log.warn('cursor not moved', { error }));
}

class LiveRelay {
  nextIndex = 0;
  #cursor: ReadCursor | undefined;
  #movedAtMs = Number.NEGATIVE_INFINITY;
  readonly #deps: RelayDeps & Pick<Deps, 'clock'>;
  readonly #journal: string;

  constructor(deps: RelayDeps & Pick<Deps, 'clock'>, journal: string) {
    this.#deps = deps;
    this.#journal = journal;
  }

  /** Relays a page, and answers how long to wait for the next entry; 0: there may be more now. */
  async advance(): Promise<number> {
    if (this.#cursor === undefined) {
      this.#cursor = await readCursor(this.#deps, this.#journal);
      this.nextIndex = this.#cursor.nextIndex;
    }
    const reached = await relayPage(this.#deps, this.#journal, this.nextIndex);
    const isIdle = reached === this.nextIndex;
    this.nextIndex = reached;
    const restMs = this.#movedAtMs + cursorEveryMs - this.#deps.clock.nowMs();
    if (restMs <= 0) await this.save();
    if (!isIdle) return 0;
    return this.#cursor.nextIndex >= this.nextIndex ? idleMs : Math.max(1, restMs);
  }

  async save(): Promise<void> {
    const { nextIndex } = this;
    if (this.#cursor === undefined || this.#cursor.nextIndex >= nextIndex) return;
    this.#cursor = await moveCursor(this.#deps, this.#journal, this.#cursor, nextIndex);
    this.#movedAtMs = this.#deps.clock.nowMs();
  }
}
