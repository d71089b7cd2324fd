/** How many calls are let through: so many at once, and from then on so many a second. */
export interface Rate {
  /** Whole, 1 to 1 000 000. */
  readonly perSecond: number;
  /** Whole, no smaller than `perSecond`, at most 10 000 000. */
  readonly burst: number;
}

/** What is asked of all calls of a tenant together, and of those of one client; null: nothing. */
export interface RateLimits {
  readonly tenant: Rate | null;
  readonly client: Rate | null;
}

/** Beyond what one tenant needs, and well below what takes the service from the others. */
export const defaultRateLimits: RateLimits = {
  tenant: { perSecond: 2000, burst: 4000 },
  client: { perSecond: 500, burst: 1000 },
};

const maxPerSecond = 1_000_000;
const maxBurst = 10_000_000;

/**
 * The rate that a setting asks for: `<calls per second>:<burst>`, or `off` for null.
 * Errors: one that names the setting and what it may be.
 */
export function rateFrom(
  name: string,
  text: string | undefined,
  fallback: Rate | null,
): Rate | null {
  if (text === undefined || text === '') return fallback;
  if (text === 'off') return null;
  const parts = /^([1-9]\d{0,7}):([1-9]\d{0,7})$/.exec(text);
  const [perSecond, burst] = [Number(parts?.[1]), Number(parts?.[2])];
  if (perSecond <= maxPerSecond && burst >= perSecond && burst <= maxBurst) {
    return { perSecond, burst };
  }
  throw new Error(
    `${name} is "${text}": give <calls per second>:<burst>, such as 500:1000 with a burst no ` +
      'smaller than the calls of a second, or off.',
  );
}
