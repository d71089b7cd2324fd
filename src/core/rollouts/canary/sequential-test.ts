/**
 * Do the canary's decisions raise more alerts than those of the stable arm? A one-sided mixture
 * SPRT on the conditional binomial of two Poisson streams: it may be looked at any number of
 * times, at any time (Robbins 1970, https://doi.org/10.1214/aoms/1177696786; Lindon & Malek 2022,
 * https://arxiv.org/abs/2011.03567). `docs/canary-statistics.md` has its power.
 *
 * Let θ be the canary's alerts per decision over those of the stable arm. Of n alerts in a look, c
 * from the canary, c given n is Binomial(n, θp / (1 + p(θ - 1))), where p is the canary's share of
 * the decisions. So the likelihood ratio of an alternative θ against θ = 1 is
 *
 *     LR = θ^c / (1 + p(θ - 1))^n
 *
 * Under a true ratio ρ the mean of LR is ((1 + q(θ - 1)) / (1 + p(θ - 1)))^n with
 * q = ρp / (1 + p(ρ - 1)). For ρ = 1 that is 1. For ρ < 1, q < p, and every θ of the mixture is
 * above 1, so that it is below 1: the test is one-sided. A product over looks and a mixture over θ
 * keep the mean at or below 1, and the chance that such a process ever reaches 1/α is at most α
 * (Ville's inequality).
 */

/** How the test stands: what it needs to take in the next look. */
export interface TestState {
  /** Of each alternative of the mixture, the logarithm of its likelihood ratio against the null. */
  readonly logRatios: readonly number[];
  /** Counts that the last look could not use yet, since decisions are reported after alerts. */
  readonly held: TestLook;
  /** The e-value: evidence against "the canary alerts no more often". */
  readonly eValue: number;
}

/** What happened between two looks. */
export interface TestLook {
  readonly canaryAlerts: number;
  readonly stableAlerts: number;
  readonly canaryDecisions: number;
  readonly stableDecisions: number;
}

/** The mixture: 12 ratios from 1.2 to 32, evenly apart in their logarithms, all of one weight. */
const alternatives = Array.from({ length: 12 }, (_, j) => 1.2 * (32 / 1.2) ** (j / 11));
const logWeight = -Math.log(alternatives.length);

const nothing: TestLook = {
  canaryAlerts: 0,
  stableAlerts: 0,
  canaryDecisions: 0,
  stableDecisions: 0,
};

/** Nothing seen: an e-value of 1. */
export function emptyTest(): TestState {
  return { logRatios: alternatives.map(() => 0), held: nothing, eValue: 1 };
}

/**
 * Takes in what happened since the last look. A look without decisions on both arms says nothing
 * about a ratio: it is held, and added to the next. A count below zero, as when a record has
 * expired, counts as none.
 */
export function takeLook(state: TestState, look: TestLook): TestState {
  const seen = add(state.held, look);
  if (seen.canaryDecisions === 0 || seen.stableDecisions === 0) return { ...state, held: seen };
  const share = seen.canaryDecisions / (seen.canaryDecisions + seen.stableDecisions);
  const alerts = seen.canaryAlerts + seen.stableAlerts;
  const logRatios = alternatives.map(
    (ratio, j) =>
      (state.logRatios[j] ?? 0) +
      seen.canaryAlerts * Math.log(ratio) -
      alerts * Math.log1p(share * (ratio - 1)),
  );
  return { logRatios, held: nothing, eValue: mixture(logRatios) };
}

/** An e-value from which on the null is rejected, wrongly with a chance of at most `alpha`. */
export function eValueLimit(alpha: number): number {
  return 1 / alpha;
}

function add(held: TestLook, look: TestLook): TestLook {
  return {
    canaryAlerts: held.canaryAlerts + Math.max(0, look.canaryAlerts),
    stableAlerts: held.stableAlerts + Math.max(0, look.stableAlerts),
    canaryDecisions: held.canaryDecisions + Math.max(0, look.canaryDecisions),
    stableDecisions: held.stableDecisions + Math.max(0, look.stableDecisions),
  };
}

/** The mean of the ratios, by log-sum-exp. JSON has no infinity: it ends at the largest number. */
function mixture(logRatios: readonly number[]): number {
  const largest = Math.max(...logRatios);
  const rest = logRatios.reduce((sum, each) => sum + Math.exp(each - largest), 0);
  return Math.min(Number.MAX_VALUE, Math.exp(largest + Math.log(rest) + logWeight));
}
