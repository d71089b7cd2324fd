import type { RunPage, RunStage, StageName } from '../wire/run.ts';
import { formatMs, formatSeconds } from './durations.ts';
import type { Output } from './output.ts';

/** At which moment a run is looked at. */
export interface Look {
  /** Unix ms, by the clock of the service. */
  readonly nowMs: number;
  /** Counts up while the same is shown: what is under way moves by it. */
  readonly frame: number;
}

type Paint = Output['paint'];

/** Of a title and its dots, so that results stand in one column. */
const titleWidth = 28;
const minDots = 3;

const stageTitles: Readonly<Record<StageName, string>> = {
  lint: 'Lint & Schema',
  simulate: 'Simulation Replay',
  approve: 'Approval',
  canary: 'Canary',
  rollout: 'Full Rollout',
  notify: 'Partner Notifications',
};

export function titleLine({ run, policies, channel, hotfix }: RunPage, paint: Paint): string {
  const names = policies.map(({ id, version }) => `${id}@${version}`).join(', ');
  const beside = [...(channel === 'prod' ? [] : [channel]), ...(hotfix ? ['hotfix'] : [])];
  const note = beside.length === 0 ? '' : `  (${beside.join(', ')})`;
  return `${paint('bold', `RUN #${run}`)}  ${names}${note}`;
}

/** Whether it has a result that stays. */
export function isOver({ status }: Pick<RunStage, 'status'>): boolean {
  return status === 'passed' || status === 'failed' || status === 'skipped';
}

/** One stage: its name, dots, and its result, or for how long it has been under way. */
export function stageLine(page: RunPage, stage: RunStage, look: Look, paint: Paint): string {
  const title = titleOf(page, stage.name);
  const width = Math.max(minDots, titleWidth - title.length);
  const shown = stage.status === 'running' ? movingDots(page, stage, look, width) : width;
  const dots = '.'.repeat(shown).padEnd(width);
  return `• ${title} ${paint('dim', dots)} ${resultOf(page, stage, look, paint)}`;
}

/** What is known of a run, for a screen: the stages that have begun, and how it ended. */
export function runLines(page: RunPage, look: Look, paint: Paint): string[] {
  const begun = page.stages.filter(({ status }) => status !== 'pending');
  return [
    titleLine(page, paint),
    ...begun.map((stage) => stageLine(page, stage, look, paint)),
    ...(begun.length === 0 && page.waitsFor === null ? ['Waits for its turn.'] : []),
    ...waitingLines(page),
    ...endLines(page, paint),
  ];
}

/** What a run that goes on waits for; none for one that does not wait. */
export function waitingLines({ status, endedAt, waitsFor, ticket, run }: RunPage): string[] {
  if (endedAt !== null) return [];
  if (waitsFor !== null) return [`Waits for run #${waitsFor}: hms-svc run watch ${waitsFor}`];
  if (status !== 'approving' || ticket === null) return [];
  return [`Waits for people: hms-svc approve ${run}, or hms-svc tickets reject ${ticket}`];
}

/** How it ended, and what to do; none while it is under way. */
export function endLines(page: RunPage, paint: Paint): string[] {
  const { status, endedAt, createdAt, outcome } = page;
  if (endedAt === null) return [];
  const took = formatMs(Date.parse(endedAt) - Date.parse(createdAt));
  if (status === 'succeeded') {
    const effective = page.policies.filter(({ effective: at }) => at !== null && at > endedAt);
    return [
      paint(['bold', 'green'], `DEPLOYMENT SUCCESSFUL: ${took}`),
      ...effective.map(({ id, effective: at }) => `${id} is distributed, and in force from ${at}.`),
    ];
  }
  return [
    paint(['bold', 'red'], `${endName(page)} after ${took}: ${outcome ?? status}`),
    ...findingLines(page),
    ...nextLines(page).map((step) => `Next: ${step}`),
  ];
}

function endName({ status, stages }: RunPage): string {
  const hasMoved = stages.some(({ name, startedAt }) => name === 'canary' && startedAt !== null);
  if (status === 'failed') return hasMoved ? 'ROLLED BACK' : 'FAILED';
  return status.toUpperCase();
}

function nextLines({ status, ticket, policies, run }: RunPage): string[] {
  const [first] = policies;
  if (status === 'failed' && ticket !== null) return [`hms-svc tickets show ${ticket}`];
  if (status === 'rejected') return ['Correct the rule, and start again: hms-svc run start FILE'];
  if (status === 'superseded') return ['hms-svc run list tells the newer one'];
  if (status === 'expired') return [`hms-svc run start ${first?.id}@${first?.version}, and decide`];
  return [`hms-svc run show ${run} --json tells all that its stages found`];
}

const maxFindings = 10;

function findingLines({ lint, simulation, status }: RunPage): string[] {
  if (status !== 'rejected') return [];
  const errors = (lint?.findings ?? []).filter(({ severity }) => severity === 'error');
  const inRule = errors.map(({ policy, pointer, line, column, detail }) => {
    const place = line === null ? '' : ` (policy.yaml:${line}:${column ?? 1})`;
    return `  ${policy} ${pointer || '/'}${place}: ${detail}`;
  });
  if (simulation === null || simulation.passed) return inRule.slice(0, maxFindings);
  const flips = simulation.flips.map(
    ({ cohort, from, to, count, scenarios }) =>
      `  ${count} × ${from} → ${to} in ${cohort}: ${scenarios.slice(0, 3).join(', ')}`,
  );
  const replayed = [...simulation.findings.map((finding) => `  ${finding}`), ...flips];
  return [...inRule, ...replayed].slice(0, maxFindings);
}

function titleOf({ canary }: RunPage, name: StageName): string {
  if (name !== 'canary' || canary === null) return stageTitles[name];
  const { percent, scope } = canary;
  const share = percent === 100 && scope !== null ? '' : ` ${percent}%`;
  return `Canary${share}${scope === null ? '' : ` (${scope.replace(':', ' ')})`}`;
}

/** A canary fills its dots as its time passes; of other stages nobody knows how long they take. */
function movingDots({ canary }: RunPage, stage: RunStage, look: Look, width: number): number {
  if (stage.name !== 'canary' || canary === null) return (look.frame % width) + 1;
  const share = runningMs(stage, look) / (canary.observeSeconds * 1000);
  return Math.max(1, Math.min(width, Math.floor(share * width)));
}

function runningMs({ startedAt }: RunStage, { nowMs }: Look): number {
  return startedAt === null ? 0 : Math.max(0, nowMs - Date.parse(startedAt));
}

function resultOf(page: RunPage, stage: RunStage, look: Look, paint: Paint): string {
  const { name, status, detail } = stage;
  if (status === 'running') {
    const { canary } = page;
    const of =
      name === 'canary' && canary !== null ? ` of ${formatSeconds(canary.observeSeconds)}` : '';
    return paint('cyan', formatSeconds(runningMs(stage, look) / 1000) + of);
  }
  if (status === 'held') return `${paint('yellow', 'HELD')}${inBrackets(detail)}`;
  if (status === 'pending') return paint('dim', 'waits');
  if (status === 'skipped') return paint('dim', `skipped${inBrackets(detail)}`);
  if (status === 'failed') {
    // The end of the run says it.
    return paint('red', 'FAIL') + inBrackets(detail === page.outcome ? null : detail);
  }
  if (name === 'notify' && detail !== null) return paint('green', detail);
  return paint('green', 'PASS') + inBrackets(noteOf(page, stage));
}

function noteOf({ lint, simulation }: RunPage, { name, detail }: RunStage): string | null {
  if (name === 'lint') {
    const { warnings = 0 } = lint ?? {};
    return warnings === 0 ? null : `${warnings} warning${warnings === 1 ? '' : 's'}`;
  }
  if (name === 'simulate' && simulation !== null && simulation.share !== null) {
    return `${Math.floor(simulation.share * 1000) / 10}% adapted`;
  }
  return name === 'simulate' || name === 'approve' ? detail : null;
}

function inBrackets(text: string | null): string {
  return text === null || text === '' ? '' : ` (${text})`;
}
