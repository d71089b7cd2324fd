import { describe, expect, it } from 'vitest';

import { emfMetrics } from '../../../src/adapters/aws/emf-metrics.ts';

function setUp(namespace?: string) {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const clock = { nowMs: () => 1_767_225_600_000 };
  return { lines, metrics: emfMetrics({ clock, write, namespace }) };
}

it('writes a request as one line, with the operation as the one dimension', () => {
  const { lines, metrics } = setUp();
  metrics.requestDone('read_rule', 304, 1.25);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    _aws: {
      Timestamp: 1_767_225_600_000,
      CloudWatchMetrics: [
        {
          Namespace: 'hms',
          Dimensions: [['operation']],
          Metrics: [
            { Name: 'hms_requests_total', Unit: 'Count' },
            { Name: 'hms_requests_failed', Unit: 'Count' },
            { Name: 'hms_request_duration_ms', Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    operation: 'read_rule',
    status: 304,
    hms_requests_total: 1,
    hms_requests_failed: 0,
    hms_request_duration_ms: 1.25,
  });
});

it.each([
  [200, 0],
  [429, 0],
  [499, 0],
  [500, 1],
  [503, 1],
])('counts status %d as %d failed', (status, failed) => {
  const { lines, metrics } = setUp();
  metrics.requestDone('read_rule', status, 1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ hms_requests_failed: failed });
});

it('writes relayed events without a dimension', () => {
  const { lines, metrics } = setUp();
  metrics.eventsRelayed(7);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: 'hms',
          Dimensions: [[]],
          Metrics: [{ Name: 'hms_events_relayed_total', Unit: 'Count' }],
        },
      ],
    },
    hms_events_relayed_total: 7,
  });
});

it('writes how many runs are open, none too', () => {
  const { lines, metrics } = setUp();
  metrics.runsOpen(0);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    _aws: {
      CloudWatchMetrics: [
        { Dimensions: [[]], Metrics: [{ Name: 'hms_runs_open', Unit: 'Count' }] },
      ],
    },
    hms_runs_open: 0,
  });
});

it('writes how a job ended, and how long it took, by type and outcome', () => {
  const { lines, metrics } = setUp();
  metrics.jobEnded('pothole.report', 'dead', 61_000);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    _aws: {
      Timestamp: 1_767_225_600_000,
      CloudWatchMetrics: [
        {
          Namespace: 'hms',
          Dimensions: [['type', 'outcome']],
          Metrics: [
            { Name: 'hms_jobs_ended_total', Unit: 'Count' },
            { Name: 'hms_job_duration_ms', Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    type: 'pothole.report',
    outcome: 'dead',
    hms_jobs_ended_total: 1,
    hms_job_duration_ms: 61_000,
  });
});

it('writes attempts that failed by type', () => {
  const { lines, metrics } = setUp();
  metrics.jobFailed('other');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    _aws: {
      CloudWatchMetrics: [
        {
          Dimensions: [['type']],
          Metrics: [{ Name: 'hms_job_attempts_failed_total', Unit: 'Count' }],
        },
      ],
    },
    type: 'other',
    hms_job_attempts_failed_total: 1,
  });
});

it('writes how many jobs of a type are open, and how old the oldest is, none too', () => {
  const { lines, metrics } = setUp();
  metrics.jobsOpen('pothole.report', 7, 2, 1500);
  metrics.jobsOpen('pothole.report', 0, 0, 0);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    _aws: {
      CloudWatchMetrics: [
        {
          Dimensions: [['type']],
          Metrics: [
            { Name: 'hms_jobs_waiting', Unit: 'Count' },
            { Name: 'hms_jobs_running', Unit: 'Count' },
            { Name: 'hms_jobs_oldest_age_ms', Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    type: 'pothole.report',
    hms_jobs_waiting: 7,
    hms_jobs_running: 2,
    hms_jobs_oldest_age_ms: 1500,
  });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({
    hms_jobs_waiting: 0,
    hms_jobs_running: 0,
    hms_jobs_oldest_age_ms: 0,
  });
});

it('keeps to its namespace', () => {
  const { lines, metrics } = setUp('hms-dev');
  metrics.runsOpen(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    _aws: { CloudWatchMetrics: [{ Namespace: 'hms-dev' }] },
  });
});

describe('calls of services', () => {
  const line = (tell: (metrics: ReturnType<typeof setUp>['metrics']) => void): unknown => {
    const { lines, metrics } = setUp();
    tell(metrics);
    expect(lines).toHaveLength(1);
    return JSON.parse(lines[0] ?? '');
  };
  /** Which metrics a line has, by which dimensions. */
  const directives = (
    ...each: readonly (readonly [string[][], readonly string[]])[]
  ): Record<string, unknown> => ({
    CloudWatchMetrics: each.map(([Dimensions, names]) => ({
      Dimensions,
      Metrics: names.map((Name) => expect.objectContaining({ Name })),
    })),
  });
  const perService = [['tenant', 'service'], []];

  it.each([
    ['answered', 0],
    ['failed', 1],
    ['abandoned', 0],
  ] as const)(
    'are one line, %s with %d failed, for each service and for all',
    (outcome, failed) => {
      expect(line((metrics) => metrics.serviceCalled('demo', 'check', outcome, 7))).toMatchObject({
        _aws: directives([
          perService,
          [
            'hms_service_requests_total',
            'hms_service_requests_failed',
            'hms_service_request_duration_ms',
          ],
        ]),
        tenant: 'demo',
        service: 'check',
        outcome,
        hms_service_requests_total: 1,
        hms_service_requests_failed: failed,
        hms_service_request_duration_ms: 7,
      });
    },
  );

  it('that reach none are counted apart, and in no share', () => {
    expect(line((metrics) => metrics.serviceCalled('demo', null, 'refused', 7))).toMatchObject({
      _aws: directives([[['tenant', 'service']], ['hms_service_requests_total']]),
      service: '_none',
      outcome: 'refused',
    });
  });

  it('tell what broke off', () => {
    expect(line((metrics) => metrics.serviceAnswerBroke('demo', 'check'))).toMatchObject({
      _aws: directives([perService, ['hms_service_answers_broken_total']]),
      service: 'check',
      hms_service_answers_broken_total: 1,
    });
  });

  it('are no failures of ours where a service fails', () => {
    expect(line((metrics) => metrics.requestDone('callService', 503, 1, true))).toMatchObject({
      _aws: directives(
        [[['operation']], ['hms_requests_total', 'hms_requests_failed', 'hms_request_duration_ms']],
        [[[]], ['hms_requests_failed_by_services']],
      ),
      hms_requests_total: 1,
      hms_requests_failed: 0,
      hms_requests_failed_by_services: 1,
    });
    const ours = line((metrics) => metrics.requestDone('callService', 500, 1));
    expect(ours).toMatchObject({ hms_requests_failed: 1 });
    expect(ours).not.toHaveProperty('hms_requests_failed_by_services');
    const fine = line((metrics) => metrics.requestDone('callService', 200, 1, true));
    expect(fine).toMatchObject({ hms_requests_failed_by_services: 0 });
  });
});

it('writes how many services are of a colour, and a zero for what alarms take off', () => {
  const { lines, metrics } = setUp();
  metrics.servicesSeen('red', 2);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    _aws: {
      CloudWatchMetrics: [
        { Dimensions: [['status']], Metrics: [{ Name: 'hms_services', Unit: 'Count' }] },
        {
          Dimensions: [[]],
          Metrics: [
            { Name: 'hms_requests_failed_by_services', Unit: 'Count' },
            { Name: 'hms_service_answers_broken_total', Unit: 'Count' },
          ],
        },
      ],
    },
    status: 'red',
    hms_services: 2,
    hms_requests_failed_by_services: 0,
    hms_service_answers_broken_total: 0,
  });
});
