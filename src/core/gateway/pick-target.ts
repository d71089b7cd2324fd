import type { TargetRole } from '../registry/service-record.ts';

/** Where a call may go, as this process sees it at the moment. */
export interface Candidate {
  readonly url: string;
  readonly role: TargetRole;
  /** By its health. */
  readonly isUp: boolean;
  /** `probe`: open, but the next call may find out whether it can close. */
  readonly circuit: 'closed' | 'open' | 'probe';
  readonly isEjected: boolean;
  /** Calls that this process has under way there. */
  readonly inFlight: number;
}

/**
 * Where to send a call: of two primary targets, picked by chance, the one with fewer calls under way
 * (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"). The secondary gets it
 * while no primary target qualifies; those that are ejected, when there is nothing else.
 *
 * What was `tried` in vain comes last, in the same order. Undefined: there is nowhere to send it.
 */
export function pickTarget<T extends Candidate>(
  candidates: readonly T[],
  tried: ReadonlySet<string>,
  random: () => number = Math.random,
): T | undefined {
  const usable = candidates.filter(({ isUp, circuit }) => isUp && circuit !== 'open');
  const fresh = usable.filter(({ url }) => !tried.has(url));
  for (const among of [fresh, usable]) {
    const primary = among.filter(({ role }) => role === 'primary');
    const tiers = [
      primary.filter(({ isEjected }) => !isEjected),
      among.filter(({ role }) => role === 'secondary'),
      primary,
    ];
    const tier = tiers.find(({ length }) => length > 0);
    if (tier !== undefined) return lessBusyOfTwo(tier, random);
  }
  return undefined;
}

function lessBusyOfTwo<T extends Candidate>(
  tier: readonly T[],
  random: () => number,
): T | undefined {
  const first = Math.floor(random() * tier.length);
  // Another one than the first, each of the others as likely.
  const second = (first + 1 + Math.floor(random() * (tier.length - 1))) % tier.length;
  const [a, b] = [tier[first], tier[second]];
  return a !== undefined && b !== undefined && b.inFlight < a.inFlight ? b : a;
}
