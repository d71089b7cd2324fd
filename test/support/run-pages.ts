import type { RunPage, RunStage } from '../../sdk/src/wire/run.ts';

export type RunPageChanges = Partial<Omit<RunPage, 'canary' | 'simulation'>> & {
  readonly canary?: Partial<NonNullable<RunPage['canary']>> | null;
  readonly simulation?: Partial<NonNullable<RunPage['simulation']>>;
  /** Of its rule. */
  readonly effective?: string;
};

/** The page of run 184, which tries `epa-pm25-limit@2.0.0` on 5 % in NCR, begun at 18:00. */
export function runPage({
  canary,
  simulation,
  effective,
  ...changes
}: RunPageChanges = {}): RunPage {
  return {
    run: 184,
    status: 'canary',
    channel: 'prod',
    policies: [
      {
        id: 'epa-pm25-limit',
        snapshot: 'v2026-11-20-1801-77aa01bc',
        version: '2.0.0',
        digest: `sha256:77aa01bc${'0'.repeat(56)}`,
        effective: effective ?? null,
        replaces: { snapshot: 'v2026-11-20-1700-4406f79b', version: '1.5.0' },
      },
    ],
    stages: [stage('lint', 'passed', 'no findings')],
    canary: canary === null ? null : { ...plan, ...canary },
    partners: [],
    approvals: 0,
    hotfix: false,
    reason: null,
    author: 'demo-editor',
    createdAt: '2026-11-20T18:00:00Z',
    endedAt: null,
    outcome: null,
    waitsFor: null,
    ticket: null,
    bucketing: null,
    lint: null,
    simulation: simulation === undefined ? null : { ...report, ...simulation },
    verdict: null,
    ...changes,
  };
}

export function stage(
  name: RunStage['name'],
  status: RunStage['status'],
  detail: string | null,
  startedAt = '2026-11-20T18:00:00Z',
): RunStage {
  const isOver = status === 'passed' || status === 'failed';
  return {
    name,
    status,
    detail,
    startedAt: status === 'pending' || status === 'skipped' ? null : startedAt,
    endedAt: isOver ? '2026-11-20T18:01:00Z' : null,
  };
}

const plan = {
  percent: 5,
  scope: 'region:NCR',
  observeSeconds: 300,
  maxNewAlerts: 2,
  minDecisions: 20,
  allowSilent: false,
  quorum: null,
};

const report = {
  passed: true,
  scenarios: 125,
  replayed: 125,
  adapted: 123,
  share: 0.984,
  flips: [],
  findings: [],
  report: null,
};
