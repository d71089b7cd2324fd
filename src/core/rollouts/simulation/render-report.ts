import type { BatchResult, Flips, NamedScenarios } from './batch-result.ts';
import { outcomesOf, percent, type SuiteOutcome } from './merge-results.ts';
import type { SimulationSummary } from './simulation-report.ts';
import type { SuiteGate } from './suite.ts';

/** What the report is about. */
export interface ReportSubject {
  readonly run: number;
  readonly channel: string;
  /** Versions: in force, null when none is, and the candidate's. */
  readonly policies: readonly {
    readonly id: string;
    readonly before: string | null;
    readonly after: string;
  }[];
  /** RFC 3339. */
  readonly at: string;
}

/** Rows of all tables together, and of each table at least: those beyond are counted. */
const maxRows = 500;
const minRows = 5;

/**
 * The whole report as Markdown (GitHub's tables), for people: the verdict first, then each suite
 * with the decisions that flip, what could not be replayed, and what did not adapt. Names and
 * decisions are shown as they are, never as markup. Mostly a few KB, below 6 MiB at the very most.
 */
export function renderReport(
  summary: SimulationSummary,
  gates: readonly SuiteGate[],
  results: readonly BatchResult[],
  about: ReportSubject,
): string {
  const outcomes = outcomesOf(gates, results);
  const rows = Math.max(minRows, Math.floor(maxRows / Math.max(1, outcomes.length)));
  return [
    `# Simulation of run #${about.run}: ${verdictOf(summary, outcomes)}`,
    [
      ...about.policies.map(
        ({ id, before, after }) =>
          `- ${plain(id)}: ${before === null ? 'no rule in force' : plain(before)} → ${plain(after)}`,
      ),
      `- Channel ${plain(about.channel)}, ${plain(about.at)}`,
    ].join('\n'),
    overall(summary),
    bullets(summary.findings),
    ...outcomes.flatMap((outcome) => suiteSection(outcome, rows)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function verdictOf({ passed }: SimulationSummary, outcomes: readonly SuiteOutcome[]): string {
  if (outcomes.length === 0) return 'SKIPPED';
  return passed ? 'PASS' : 'FAIL';
}

function overall({ scenarios, replayed, adapted, share }: SimulationSummary): string {
  if (scenarios === 0) return '';
  const shown = share === null ? 'none could be judged' : `**${percent(share)} adapted**`;
  return `${shown}: of ${scenarios} recorded scenarios ${replayed} could be replayed, and the candidate serves ${adapted} of them as expected.`;
}

function suiteSection(outcome: SuiteOutcome, rows: number): string[] {
  const { gate, replayed, adapted, share, failures } = outcome;
  const verdict = failures.length === 0 ? 'PASS' : 'FAIL';
  const shown = share === null ? 'no share' : percent(share);
  return [
    `## ${plain(gate.name)}: ${verdict}`,
    `${shown} adapted (${adapted} of ${replayed} replayed, ${gate.size} in all), ${percent(gate.threshold)} wanted.${protection(gate)}`,
    bullets(failures),
    '### Decisions that change',
    flipTable(outcome.flips, new Set(gate.protected), rows),
    ...listing('Could not be replayed', outcome.unreplayable),
    ...listing('Did not adapt', outcome.unadapted),
    ...listing('Changed in protected cohorts', outcome.protectedFlips),
  ];
}

function protection({ protected: cohorts }: SuiteGate): string {
  return cohorts.length === 0 ? '' : ` No decision may change for ${plain(cohorts.join(', '))}.`;
}

function flipTable(
  flips: readonly Flips[],
  guarded: ReadonlySet<string>,
  maxShown: number,
): string {
  if (flips.length === 0) return 'None.';
  const rows = flips
    .toSorted((a, b) => b.count - a.count)
    .slice(0, maxShown)
    .map(({ cohort, from, to, count, scenarios }) => {
      const mark = guarded.has(cohort) ? ' (protected)' : '';
      const names = scenarios.map(plain).join(', ');
      const more = count > scenarios.length ? ` and ${count - scenarios.length} more` : '';
      return `| ${plain(cohort)}${mark} | ${plain(from)} | ${plain(to)} | ${count} | ${names}${more} |`;
    });
  const rest = flips.length > maxShown ? [`\n${flips.length - maxShown} more rows.`] : [];
  const head = ['| cohort | in force | candidate | count | scenarios |', '|---|---|---|---:|---|'];
  return [...head, ...rows, ...rest].join('\n');
}

function listing(title: string, { count, named }: NamedScenarios): string[] {
  if (count === 0) return [];
  const lines = named.map(({ scenario, why }) => `${scenario}: ${why}`);
  const more = count > named.length ? [`and ${count - named.length} more`] : [];
  return [`### ${title} (${count})`, bullets([...lines, ...more])];
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${plain(line)}`).join('\n');
}

/** Text that stays text: what scenarios are called is nobody's markup, nor a link. */
function plain(text: string): string {
  if (text === '') return '(empty)';
  const escaped = text.replaceAll(/[\\`*_[\]<>#|~&$@]|:(?=\/\/)|\.(?<=www\.)/gi, String.raw`\$&`);
  return escaped.replaceAll(/\s+/g, ' ');
}
