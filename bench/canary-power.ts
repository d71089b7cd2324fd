import {
  emptyTest,
  eValueLimit,
  takeLook,
  type TestLook,
} from '../src/core/rollouts/canary/sequential-test.ts';
import { readOptions } from './harness/options.ts';
import { printTable } from './harness/report.ts';
import { median } from './harness/statistics.ts';

const options = readOptions('False aborts and power of the sequential test of a canary', {
  seed: [20261120, 'of the random numbers: the same seed prints the same figures'],
  canaries: [2000, 'simulated canaries for each row; ten times as many where the ratio is 1'],
});

const alpha = 0.05;
const looks = 60;
const decisionsPerLook = 2000;
const random = mulberry32(options.seed);

/** https://github.com/cprosche/mulberry32 */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Knuth's, in parts whose exponential does not vanish. */
function poisson(mean: number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= 30) {
    const floor = Math.exp(-Math.min(30, left));
    for (let product = random(); product > floor; product *= random()) count++;
  }
  return count;
}

interface Setting {
  /** Alerts per decision of the stable arm. */
  readonly baseline: number;
  readonly canaryShare: number;
  readonly ratio: number;
}

/** What each look of one canary sees. */
type Canary = (setting: Setting) => Iterable<TestLook>;

function* toldAtOnce({ baseline, canaryShare, ratio }: Setting): Generator<TestLook> {
  for (let look = 0; look < looks; look++) {
    const canaryDecisions = poisson(decisionsPerLook * canaryShare);
    const stableDecisions = poisson(decisionsPerLook * (1 - canaryShare));
    yield {
      canaryDecisions,
      stableDecisions,
      canaryAlerts: poisson(canaryDecisions * baseline * ratio),
      stableAlerts: poisson(stableDecisions * baseline),
    };
  }
}

const services = 20;
const looksPerReport = 12;

/**
 * Each of 20 services, one of them (or half) on the canary, tells its decisions at every twelfth
 * look, at one of its own. Its alerts count with those decisions; or, to show why, at once.
 */
function* batches(alertsCount: 'with decisions' | 'at once', setting: Setting) {
  const { baseline, canaryShare, ratio } = setting;
  const onCanary = Math.round(services * canaryShare);
  const phases = Array.from({ length: services }, () => Math.floor(random() * looksPerReport));
  const untold = phases.map(() => ({ decisions: 0, alerts: 0 }));
  for (let look = 0; look < looks; look++) {
    const seen = { canaryDecisions: 0, stableDecisions: 0, canaryAlerts: 0, stableAlerts: 0 };
    for (const [service, mine] of untold.entries()) {
      const arm = service < onCanary ? 'canary' : 'stable';
      const decisions = poisson(decisionsPerLook / services);
      const alerts = poisson(decisions * baseline * (arm === 'canary' ? ratio : 1));
      mine.decisions += decisions;
      if (alertsCount === 'at once') seen[`${arm}Alerts`] += alerts;
      else mine.alerts += alerts;
      if (look % looksPerReport !== phases[service]) continue;
      seen[`${arm}Decisions`] += mine.decisions;
      seen[`${arm}Alerts`] += mine.alerts;
      mine.decisions = 0;
      mine.alerts = 0;
    }
    yield seen;
  }
}

/** Decisions of the canary until the test stopped it; null when it did not. */
function decisionsUntilAbort(canary: Iterable<TestLook>): number | null {
  let state = emptyTest();
  let decisions = 0;
  for (const look of canary) {
    state = takeLook(state, look);
    decisions += look.canaryDecisions;
    if (state.eValue >= eValueLimit(alpha)) return decisions;
  }
  return null;
}

function row(canary: Canary, setting: Setting): string[] {
  const times = setting.ratio === 1 ? options.canaries * 10 : options.canaries;
  const aborts: number[] = [];
  for (let i = 0; i < times; i++) {
    const decisions = decisionsUntilAbort(canary(setting));
    if (decisions !== null) aborts.push(decisions);
  }
  return [
    `${setting.baseline * 100} %`,
    `${setting.canaryShare * 100} %`,
    String(setting.ratio),
    `${((aborts.length / times) * 100).toFixed(1)} %`,
    aborts.length === 0 ? '–' : String(Math.round(median(aborts))),
  ];
}

const head = ['alerts per decision', 'canary', 'ratio', 'aborted', 'median decisions to abort'];

function table(title: string, canary: Canary, ratios: readonly number[]): void {
  console.log(`\n${title}\n`);
  const settings = [0.001, 0.01, 0.05].flatMap((baseline) =>
    [0.05, 0.5].flatMap((canaryShare) =>
      ratios.map((ratio): Setting => ({ baseline, canaryShare, ratio })),
    ),
  );
  printTable([head, ...settings.map((setting) => row(canary, setting))]);
}

console.log(
  `α = ${alpha}, ${looks} looks, ${decisionsPerLook} decisions of both arms between two, ` +
    `seed ${options.seed}`,
);
table('Decisions told at once', toldAtOnce, [1, 2, 3, 5, 10]);
const inBatches = `Decisions told by ${services} services, each at every ${looksPerReport}th look`;
table(inBatches, (setting) => batches('with decisions', setting), [1, 3]);
table(`${inBatches}, had alerts counted at once`, (setting) => batches('at once', setting), [1, 3]);
