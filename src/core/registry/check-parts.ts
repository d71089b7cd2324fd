import type { Deps } from '../deps.ts';
import type { HealthColour } from './service-health.ts';

/** How a part of our own is. */
export interface PartHealth {
  readonly status: HealthColour;
  readonly reason: string;
}

/** Looks at a part on behalf of a tenant. Cheap: a few reads. What it throws makes the part red. */
export type PartCheck = (tenant: string) => Promise<PartHealth>;

export type PartChecks = Readonly<Record<string, PartCheck>>;

const timeoutMs = 2000;
const slowMs = 1000;

/**
 * How each part is, all asked at once: red when it fails or does not answer within 2 s, and yellow
 * at best when that took more than 1 s. Never rejects.
 */
export async function checkParts(
  deps: Pick<Deps, 'clock' | 'log'>,
  checks: PartChecks,
  tenant: string,
): Promise<Record<string, PartHealth>> {
  const found = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) => [name, await checkPart(deps, name, check, tenant)] as const,
    ),
  );
  return Object.fromEntries(found);
}

async function checkPart(
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
  part: string,
  check: PartCheck,
  tenant: string,
): Promise<PartHealth> {
  const done = new AbortController();
  const late = clock
    .sleep(timeoutMs, done.signal)
    .then((): PartHealth => ({ status: 'red', reason: `no answer in ${timeoutMs} ms` }));
  const startedMs = clock.nowMs();
  try {
    const found = await Promise.race([check(tenant), late]);
    const tookMs = clock.nowMs() - startedMs;
    if (found.status !== 'green' || tookMs <= slowMs) return found;
    return { status: 'yellow', reason: `slow: took ${tookMs} ms` };
  } catch (error) {
    // Not told to the caller: it may name what is nobody's business.
    log.warn('part failed', { tenant, part, error });
    return { status: 'red', reason: 'failed' };
  } finally {
    done.abort();
  }
}
