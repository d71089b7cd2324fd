import type { Deps } from '../deps.ts';
import { type RelayDeps, relayJournal } from './relay-journal.ts';

const idleMs = 30_000;
const maxBackOffMs = 30_000;

/** Relays a tenant's journal as it grows, until `stop`. A failure is tried again, with back-off. */
export async function keepRelaying(
  deps: RelayDeps & Pick<Deps, 'signal' | 'clock'>,
  tenant: string,
  stop: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!stop.aborted) {
    try {
      const nextIndex = await relayJournal(deps, tenant);
      failures = 0;
      await deps.signal.wait(tenant, nextIndex, idleMs, stop);
    } catch (error) {
      deps.log.error('relay failed', { tenant, failures, error });
      await deps.clock.sleep(Math.min(maxBackOffMs, 100 * 2 ** failures), stop);
      failures += 1;
    }
  }
}
