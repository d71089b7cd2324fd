import { type Stage, type StageName, stageNames } from './run-record.ts';

/** The stages of a run, none of them begun. */
export function newStages(approves: boolean): Stage[] {
  return stageNames
    .filter((name) => name !== 'approve' || approves)
    .map((name) => ({ name, status: 'pending', detail: null, startedAt: null, endedAt: null }));
}

export type StageChange = {
  readonly name: StageName;
  readonly status: Stage['status'];
  readonly detail?: string | null;
};

/** The stages with some of them changed, at a time; when one begins or ends is noted once. */
export function withStages(
  stages: readonly Stage[],
  at: string,
  ...changes: readonly StageChange[]
): Stage[] {
  return stages.map((stage) => {
    const change = changes.find(({ name }) => name === stage.name);
    if (change === undefined) return stage;
    const { status, detail = stage.detail } = change;
    const begun = status !== 'pending' && status !== 'held';
    const over = status === 'passed' || status === 'failed' || status === 'skipped';
    return {
      ...stage,
      status,
      detail,
      startedAt: stage.startedAt ?? (begun ? at : null),
      endedAt: over ? (stage.endedAt ?? at) : null,
    };
  });
}

/** What becomes of stages when their run ends early: the one that was under way failed. */
export function cutStages(stages: readonly Stage[], at: string, detail: string): Stage[] {
  return stages.map((stage) => {
    if (stage.status === 'pending') return { ...stage, status: 'skipped' };
    if (stage.status !== 'running' && stage.status !== 'held') return stage;
    return { ...stage, status: 'failed', detail, startedAt: stage.startedAt ?? at, endedAt: at };
  });
}
