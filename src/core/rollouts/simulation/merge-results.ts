import type { BatchResult } from './batch-result.ts';
import { simulationLimits } from './simulation-limits.ts';
import type { FlipCount, SimulationSummary } from './simulation-report.ts';
import type { SuiteGate } from './suite.ts';
import { Tally } from './tally.ts';

const maxRows = 50;
const maxNamedOfRow = 5;
const maxNamedOfLine = 5;
const maxLineChars = 300;

/** What all batches of a suite showed together, and why it does not pass. */
export interface SuiteOutcome extends BatchResult {
  readonly gate: SuiteGate;
  /** Adapted of replayed, 0 to 1; null when none could be replayed. */
  readonly share: number | null;
  /** One line each, for people; none: the suite passes. */
  readonly failures: readonly string[];
}

/**
 * Adds up the batches of a run, in whatever order they come, and judges: every suite needs at
 * least one scenario that could be replayed, a share of adapted ones that reaches its threshold,
 * and no flip in a protected cohort. No suites: passed, and a finding says that nothing was
 * replayed. `report` is null: the caller knows where it puts it. Errors: `Error` when a batch is
 * missing or there twice, which is a defect.
 */
export function mergeResults(
  gates: readonly SuiteGate[],
  results: readonly BatchResult[],
): SimulationSummary {
  const outcomes = outcomesOf(gates, results);
  const replayed = sum(outcomes.map((outcome) => outcome.replayed));
  const adapted = sum(outcomes.map((outcome) => outcome.adapted));
  return {
    passed: outcomes.every(({ failures }) => failures.length === 0),
    scenarios: sum(gates.map(({ size }) => size)),
    replayed,
    adapted,
    share: replayed === 0 ? null : adapted / replayed,
    flips: flipRows(outcomes),
    findings: findingsOf(outcomes),
    report: null,
  };
}

/** What each suite showed, in their order. */
export function outcomesOf(
  gates: readonly SuiteGate[],
  results: readonly BatchResult[],
): SuiteOutcome[] {
  return gates.map((gate) => {
    const batches = results
      .filter(({ suite }) => suite === gate.name)
      .toSorted((a, b) => a.from - b.from);
    const tally = new Tally();
    let next = 0;
    for (const batch of batches) {
      if (batch.from !== next) throw uncovered(gate);
      tally.add(batch);
      next = batch.to;
    }
    if (next !== gate.size) throw uncovered(gate);
    const result: BatchResult = { suite: gate.name, from: 0, to: next, ...tally.counts() };
    const share = result.replayed === 0 ? null : result.adapted / result.replayed;
    return { ...result, gate, share, failures: failuresOf(gate, result, share) };
  });
}

function uncovered({ name }: SuiteGate): Error {
  return new Error(`The batches of the suite ${name} do not cover it once each.`);
}

function failuresOf(gate: SuiteGate, result: BatchResult, share: number | null): string[] {
  const failures: string[] = [];
  if (share === null) {
    failures.push(`none of the ${gate.size} scenarios could be replayed`);
  } else if (share < gate.threshold) {
    const { adapted, replayed, unadapted } = result;
    failures.push(
      `${percent(share)} adapted (${adapted} of ${replayed}), below the threshold of ${percent(gate.threshold)}${naming(unadapted.named)}`,
    );
  }
  const { count, named } = result.protectedFlips;
  if (count > 0) failures.push(`${count} flipped in protected cohorts${naming(named)}`);
  return failures;
}

/** To a tenth, cut off: what is below a threshold must not print as if it reached it. */
export function percent(share: number): string {
  // 0.57 * 1000 is a little less than 570.
  return `${Math.floor(Number((share * 1000).toPrecision(12))) / 10}%`;
}

function flipRows(outcomes: readonly SuiteOutcome[]): FlipCount[] {
  const rows = outcomes.flatMap(({ suite, flips }) => flips.map((flip) => ({ suite, flip })));
  return rows
    .toSorted((a, b) => b.flip.count - a.flip.count)
    .slice(0, maxRows)
    .map(({ suite, flip: { cohort, from, to, count, scenarios } }) => {
      return { suite, cohort, from, to, count, scenarios: scenarios.slice(0, maxNamedOfRow) };
    });
}

/** Failures first: they must not be cut off by what could not be replayed. */
function findingsOf(outcomes: readonly SuiteOutcome[]): string[] {
  if (outcomes.length === 0) {
    return ['skipped: no suite is registered for these policies or comes with their packages'];
  }
  const failures = outcomes.flatMap(({ suite, failures: all }) =>
    all.map((failure) => `${suite}: ${failure}`),
  );
  const obstacles = outcomes
    .filter(({ unreplayable }) => unreplayable.count > 0)
    .map(
      ({ suite, gate, unreplayable }) =>
        `${suite}: ${unreplayable.count} of ${gate.size} scenarios could not be replayed${naming(unreplayable.named)}`,
    );
  return [...failures, ...obstacles].slice(0, simulationLimits.maxFindings).map(cut);
}

function naming(named: BatchResult['unadapted']['named']): string {
  const shown = named.slice(0, maxNamedOfLine).map(({ scenario, why }) => `${scenario} (${why})`);
  return shown.length === 0 ? '' : `: ${shown.join(', ')}`;
}

function cut(line: string): string {
  return line.length > maxLineChars ? `${line.slice(0, maxLineChars).toWellFormed()}…` : line;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
