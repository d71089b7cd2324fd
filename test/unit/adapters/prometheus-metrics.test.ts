import { describe, expect, it } from 'vitest';
import { maxServiceLabels } from '../../../src/adapters/runtime/service-labels.ts';
import { prometheusMetrics } from '../../../src/adapters/local/prometheus-metrics.ts';

/** The samples of a text, by name and labels. */
function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = line, value] = /^(\S+) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

describe('prometheusMetrics', () => {
  const make = () => prometheusMetrics({ processMetrics: false });

  it('counts requests by operation and status class, and those that failed', async () => {
    const metrics = make();
    for (const status of [200, 201, 304, 404, 499, 500, 503])
      metrics.requestDone('getPolicy', status, 1);
    metrics.requestDone('publish', 200, 1);
    expect(samples(await metrics.text())).toMatchObject({
      'hms_requests_total{operation="getPolicy",status_class="2xx"}': 2,
      'hms_requests_total{operation="getPolicy",status_class="3xx"}': 1,
      'hms_requests_total{operation="getPolicy",status_class="4xx"}': 2,
      'hms_requests_total{operation="getPolicy",status_class="5xx"}': 2,
      'hms_requests_failed{operation="getPolicy"}': 2,
      'hms_requests_total{operation="publish",status_class="2xx"}': 1,
      'hms_requests_failed{operation="publish"}': 0,
    });
  });

  it('sorts durations into cumulative buckets, a bound belonging to its bucket', async () => {
    const metrics = make();
    for (const ms of [0.4, 0.5, 0.6, 10, 9999, 10_000, 10_001]) metrics.requestDone('get', 200, ms);
    const found = samples(await metrics.text());
    const bucket = (le: string): number | undefined =>
      found[`hms_request_duration_seconds_bucket{le="${le}",operation="get"}`];
    expect(['0.0005', '0.001', '0.005', '0.01', '5', '10', '+Inf'].map(bucket)).toEqual([
      2, 3, 3, 4, 4, 6, 7,
    ]);
    expect(found['hms_request_duration_seconds_count{operation="get"}']).toBe(7);
    expect(found['hms_request_duration_seconds_sum{operation="get"}']).toBeCloseTo(30.0115);
  });

  it('takes an odd status or duration for what it is: a failure, no time', async () => {
    const metrics = make();
    metrics.requestDone('get', 0, -5);
    metrics.requestDone('get', 999, Number.NaN);
    expect(samples(await metrics.text())).toMatchObject({
      'hms_requests_failed{operation="get"}': 2,
      'hms_request_duration_seconds_count{operation="get"}': 2,
      'hms_request_duration_seconds_sum{operation="get"}': 0,
    });
  });

  it('counts relayed events', async () => {
    const metrics = make();
    expect(samples(await metrics.text())).toMatchObject({ hms_events_relayed_total: 0 });
    metrics.eventsRelayed(3);
    metrics.eventsRelayed(2);
    expect(samples(await metrics.text())).toMatchObject({ hms_events_relayed_total: 5 });
  });

  it('tells how many runs are open now', async () => {
    const metrics = make();
    expect(samples(await metrics.text())).toMatchObject({ hms_runs_open: 0 });
    metrics.runsOpen(7);
    metrics.runsOpen(2);
    expect(samples(await metrics.text())).toMatchObject({ hms_runs_open: 2 });
  });

  it('counts how jobs ended by type and outcome, with their time in seconds', async () => {
    const metrics = make();
    metrics.jobEnded('pothole.report', 'completed', 4);
    metrics.jobEnded('pothole.report', 'completed', 60_000);
    metrics.jobEnded('pothole.report', 'dead', 5_000_000);
    metrics.jobEnded('other', 'rejected', -5);
    const found = samples(await metrics.text());
    const done = 'outcome="completed"';
    const name = 'hms_job_duration_seconds';
    expect(found).toMatchObject({
      [`hms_jobs_ended_total{type="pothole.report",${done}}`]: 2,
      'hms_jobs_ended_total{type="pothole.report",outcome="dead"}': 1,
      'hms_jobs_ended_total{type="other",outcome="rejected"}': 1,
      [`${name}_bucket{le="0.005",type="pothole.report",${done}}`]: 1,
      [`${name}_bucket{le="30",type="pothole.report",${done}}`]: 1,
      [`${name}_bucket{le="60",type="pothole.report",${done}}`]: 2,
      [`${name}_count{type="pothole.report",${done}}`]: 2,
      [`${name}_bucket{le="3600",type="pothole.report",outcome="dead"}`]: 0,
      [`${name}_bucket{le="+Inf",type="pothole.report",outcome="dead"}`]: 1,
      [`${name}_sum{type="other",outcome="rejected"}`]: 0,
    });
    expect(found[`${name}_sum{type="pothole.report",${done}}`]).toBeCloseTo(60.004);
  });

  it('counts attempts that failed', async () => {
    const metrics = make();
    metrics.jobFailed('pothole.report');
    metrics.jobFailed('pothole.report');
    metrics.jobFailed('other');
    expect(samples(await metrics.text())).toMatchObject({
      'hms_job_attempts_failed_total{type="pothole.report"}': 2,
      'hms_job_attempts_failed_total{type="other"}': 1,
    });
  });

  it('tells how many jobs wait and run now, and how old the oldest is', async () => {
    const metrics = make();
    metrics.jobsOpen('pothole.report', 9, 9, 9000);
    metrics.jobsOpen('pothole.report', 7, 2, 1500);
    expect(samples(await metrics.text())).toMatchObject({
      'hms_jobs_waiting{type="pothole.report"}': 7,
      'hms_jobs_running{type="pothole.report"}': 2,
      'hms_jobs_oldest_age_seconds{type="pothole.report"}': 1.5,
    });
  });

  it('counts calls of services by tenant, service and outcome, and times those that were asked', async () => {
    const metrics = make();
    metrics.serviceCalled('demo', 'check', 'answered', 30);
    metrics.serviceCalled('demo', 'check', 'answered', -5);
    metrics.serviceCalled('demo', 'check', 'failed', 100_000);
    metrics.serviceCalled('demo', null, 'refused', 1);
    metrics.serviceAnswerBroke('demo', 'check');
    metrics.servicesSeen('red', 7);
    metrics.servicesSeen('red', 2);
    const found = samples(await metrics.text());
    const check = 'tenant="demo",service="check"';
    const name = 'hms_service_request_duration_seconds';
    expect(found).toMatchObject({
      [`hms_service_requests_total{${check},outcome="answered"}`]: 2,
      [`hms_service_requests_total{${check},outcome="failed"}`]: 1,
      'hms_service_requests_total{tenant="demo",service="_none",outcome="refused"}': 1,
      [`hms_service_answers_broken_total{${check}}`]: 1,
      [`${name}_bucket{le="0.025",${check}}`]: 1,
      [`${name}_bucket{le="60",${check}}`]: 2,
      [`${name}_bucket{le="300",${check}}`]: 3,
      'hms_services{status="red"}': 2,
    });
    expect(Object.keys(found).filter((key) => key.startsWith(`${name}_count`))).toEqual([
      `${name}_count{${check}}`,
    ]);
  });

  it('keeps the series of services within bounds, whatever is called', async () => {
    const metrics = make();
    for (let i = 0; i < 3 * maxServiceLabels; i++) {
      metrics.serviceCalled('demo', `s${i}`, 'answered', 1);
    }
    const found = samples(await metrics.text());
    const counted = Object.entries(found).filter(([key]) => key.startsWith('hms_service_requests'));
    expect(counted).toHaveLength(maxServiceLabels + 1);
    expect(Object.fromEntries(counted)).toMatchObject({
      'hms_service_requests_total{tenant="_other",service="_other",outcome="answered"}':
        2 * maxServiceLabels,
    });
  });

  it('counts what a service fails to no failure of ours', async () => {
    const metrics = make();
    metrics.requestDone('callService', 503, 1, true);
    metrics.requestDone('callService', 500, 1);
    expect(samples(await metrics.text())).toMatchObject({
      'hms_requests_total{operation="callService",status_class="5xx"}': 2,
      'hms_requests_failed{operation="callService"}': 1,
    });
  });

  it('says each help and type once, with all samples of a name behind it', async () => {
    const metrics = make();
    metrics.requestDone('a', 200, 1);
    metrics.requestDone('b', 500, 1);
    const text = await metrics.text();
    expect(text.match(/^# TYPE .*$/gm)).toEqual([
      '# TYPE hms_requests_total counter',
      '# TYPE hms_requests_failed counter',
      '# TYPE hms_request_duration_seconds histogram',
      '# TYPE hms_events_relayed_total counter',
      '# TYPE hms_runs_open gauge',
      '# TYPE hms_jobs_ended_total counter',
      '# TYPE hms_job_duration_seconds histogram',
      '# TYPE hms_job_attempts_failed_total counter',
      '# TYPE hms_jobs_waiting gauge',
      '# TYPE hms_jobs_running gauge',
      '# TYPE hms_jobs_oldest_age_seconds gauge',
      '# TYPE hms_service_requests_total counter',
      '# TYPE hms_service_request_duration_seconds histogram',
      '# TYPE hms_service_answers_broken_total counter',
      '# TYPE hms_services gauge',
    ]);
    expect(text).toMatch(/^# HELP hms_requests_total .+\n# TYPE hms_requests_total counter\nhms_/);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('escapes a label', async () => {
    const metrics = make();
    metrics.requestDone('a"b\\c\nd', 200, 1);
    expect(await metrics.text()).toContain('{operation="a\\"b\\\\c\\nd",status_class="2xx"} 1\n');
  });

  it('has the metrics of the process when told, in Prometheus text format', async () => {
    const metrics = prometheusMetrics({ processMetrics: true });
    const found = samples(await metrics.text());
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes']) {
      expect(found[name]).toBeGreaterThan(0);
    }
    expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
});
