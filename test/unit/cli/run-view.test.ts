import { describe, expect, it } from 'vitest';
import { endLines, runLines, waitingLines } from '../../../sdk/src/cli/run-view.ts';
import type { RunPage, RunStage } from '../../../sdk/src/wire/run.ts';
import { runPage, type RunPageChanges, stage } from '../../support/run-pages.ts';

const bare = (_: unknown, text: string) => text;
const look = { nowMs: Date.parse('2026-11-20T18:05:00Z'), frame: 0 };
const lines = (page: RunPage) => runLines(page, look, bare);

describe('the picture of a run', () => {
  it('is the one of the mission', () => {
    const page = runPage({
      status: 'succeeded',
      endedAt: '2026-11-20T18:11:42Z',
      outcome: 'In force for everyone.',
      simulation: { share: 0.984 },
      stages: [
        stage('lint', 'passed', 'no findings'),
        stage('simulate', 'passed', '98.4% adapted of 125 replayed scenarios'),
        stage('canary', 'passed', '200 decisions, no alert'),
        stage('rollout', 'passed', 'in force for everyone'),
        stage('notify', 'passed', '6 sent'),
      ],
    });
    expect(lines(page)).toEqual([
      'RUN #184  epa-pm25-limit@2.0.0',
      '• Lint & Schema ............... PASS',
      '• Simulation Replay ........... PASS (98.4% adapted)',
      '• Canary 5% (region NCR) ...... PASS',
      '• Full Rollout ................ PASS',
      '• Partner Notifications ....... 6 sent',
      'DEPLOYMENT SUCCESSFUL: 11 min 42 s',
    ]);
  });

  it('shows what has begun, for how long, with as many dots as the canary has had of its time', () => {
    const page = runPage({
      stages: [
        stage('lint', 'passed', 'no findings'),
        stage('simulate', 'skipped', 'no scenarios'),
        stage('canary', 'running', null, '2026-11-20T18:02:30Z'),
        stage('rollout', 'pending', null),
      ],
    });
    expect(lines(page)).toEqual([
      'RUN #184  epa-pm25-limit@2.0.0',
      '• Lint & Schema ............... PASS',
      '• Simulation Replay ........... skipped (no scenarios)',
      '• Canary 5% (region NCR) ...    2 min 30 s of 5 min 0 s',
    ]);
  });

  it('moves the dots of a stage that nobody knows the length of', () => {
    const page = runPage({ stages: [stage('rollout', 'running', null, '2026-11-20T18:04:58Z')] });
    const shown = [0, 1, 15, 16].map((frame) => runLines(page, { ...look, frame }, bare)[1]);
    expect(shown).toEqual([
      '• Full Rollout .                2 s',
      '• Full Rollout ..               2 s',
      '• Full Rollout ................ 2 s',
      '• Full Rollout .                2 s',
    ]);
  });

  it('never shows a negative time, however far our clock is behind', () => {
    const page = runPage({ stages: [stage('canary', 'running', null, '2026-11-20T18:09:00Z')] });
    expect(lines(page)[1]).toBe('• Canary 5% (region NCR) .      0 s of 5 min 0 s');
  });

  it.each([
    [{ percent: 5, scope: null }, 'Canary 5% ....'],
    [{ percent: 100, scope: 'region:NCR' }, 'Canary (region NCR) ....'],
    [
      { percent: 0.25, scope: 'region:A_very_long_name_of_one' },
      'A_very_long_name_of_one) ... PASS',
    ],
  ])('names the canary %j', (canary, title) => {
    const page = runPage({ canary, stages: [stage('canary', 'passed', null)] });
    expect(lines(page)[1]).toContain(title);
  });

  it('names the channel unless it is prod, and a hotfix', () => {
    const page = runPage({ channel: 'test', hotfix: true });
    expect(lines(page)[0]).toBe('RUN #184  epa-pm25-limit@2.0.0  (test, hotfix)');
  });

  it('says why something is held', () => {
    const held = stage('rollout', 'held', 'blackout until 2026-11-23T09:00:00Z: nobody is in');
    expect(lines(runPage({ stages: [held] }))[1]).toBe(
      '• Full Rollout ................ HELD (blackout until 2026-11-23T09:00:00Z: nobody is in)',
    );
  });

  it.each<[RunStage, RunPageChanges, string]>([
    [stage('lint', 'passed', null), { lint: lint(2) }, 'PASS (2 warnings)'],
    [stage('lint', 'passed', null), { lint: lint(1) }, 'PASS (1 warning)'],
    [stage('simulate', 'passed', 'nothing to replay'), {}, 'PASS (nothing to replay)'],
    [stage('lint', 'failed', '1 error'), {}, 'FAIL (1 error)'],
    [stage('canary', 'failed', 'It harmed.'), { outcome: 'It harmed.' }, 'FAIL'],
    [stage('notify', 'skipped', 'no partners'), {}, 'skipped (no partners)'],
  ])('tells the result of %j', (one, more, result) => {
    const [, line] = lines(runPage({ ...more, stages: [one] }));
    expect(line?.replace(/^.*\.\.\. /, '')).toBe(result);
  });
});

describe('what a run waits for', () => {
  const queued = { status: 'queued', stages: [stage('lint', 'pending', null)] } as const;
  it.each<[RunPageChanges, string[]]>([
    [{ ...queued, waitsFor: 183 }, ['Waits for run #183: hms-svc run watch 183']],
    [queued, []],
    [
      { status: 'approving', ticket: 'run-184-approval' },
      ['Waits for people: hms-svc approve 184, or hms-svc tickets reject run-184-approval'],
    ],
    [{ status: 'canary' }, []],
    [{ status: 'aborted', endedAt: '2026-11-20T18:11:42Z' }, []],
  ])('is said of %j', (page, expected) => {
    expect(waitingLines(runPage(page))).toEqual(expected);
  });
});

describe('how a run ended', () => {
  const end = (page: RunPageChanges) =>
    endLines(runPage({ endedAt: '2026-11-20T18:02:03Z', ...page }), bare);

  it('says that a canary was rolled back, and where its review is', () => {
    const ended = end({
      status: 'failed',
      outcome: 'Canary failed: 2 new alerts.',
      ticket: 'run-184-review',
      stages: [stage('canary', 'failed', null, '2026-11-20T18:01:00Z')],
    });
    expect(ended).toEqual([
      'ROLLED BACK after 2 min 3 s: Canary failed: 2 new alerts.',
      'Next: hms-svc tickets show run-184-review',
    ]);
  });

  it('points into a rule that lint rejected', () => {
    const finding = {
      policy: 'epa-pm25-limit',
      severity: 'error',
      rule: 'schema',
      pointer: '/limit',
      line: 4,
      column: 8,
      detail: 'must be a number',
    } as const;
    const warning = { ...finding, severity: 'warning', detail: 'is odd' } as const;
    const ended = end({
      status: 'rejected',
      outcome: 'Lint found 1 error.',
      lint: { errors: 1, warnings: 1, findings: [finding, warning] },
    });
    expect(ended).toEqual([
      'REJECTED after 2 min 3 s: Lint found 1 error.',
      '  epa-pm25-limit /limit (policy.yaml:4:8): must be a number',
      'Next: Correct the rule, and start again: hms-svc run start FILE',
    ]);
  });

  it('names the decisions that a simulation flipped', () => {
    const flips = [
      {
        suite: 'bots',
        cohort: 'school',
        from: 'pass',
        to: 'fail',
        count: 3,
        scenarios: ['a', 'b'],
      },
    ];
    const ended = end({
      status: 'rejected',
      outcome: 'The simulation failed.',
      simulation: { passed: false, share: 0.5, flips, findings: ['school is protected'] },
    });
    expect(ended.slice(1, 3)).toEqual([
      '  school is protected',
      '  3 × pass → fail in school: a, b',
    ]);
  });

  it.each<[RunPage['status'], string, string]>([
    ['aborted', 'ABORTED after', 'hms-svc run show 184 --json'],
    ['superseded', 'SUPERSEDED after', 'hms-svc run list'],
    ['expired', 'EXPIRED after', 'hms-svc run start epa-pm25-limit@2.0.0'],
    ['failed', 'FAILED after', 'hms-svc run show 184'],
  ])('has a next step when it is %s', (status, first, next) => {
    const [head, last] = end({ status, outcome: null });
    expect(head).toContain(first);
    expect(last).toContain(next);
  });

  it('says from when on a rule is in force that is not yet', () => {
    const ended = end({ status: 'succeeded', effective: '2027-01-01T00:00:00Z' });
    expect(ended[1]).toBe('epa-pm25-limit is distributed, and in force from 2027-01-01T00:00:00Z.');
  });
});

function lint(warnings: number) {
  return { errors: 0, warnings, findings: [] };
}
