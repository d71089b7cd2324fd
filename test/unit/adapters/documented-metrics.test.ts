import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { emfMetrics } from '../../../src/adapters/aws/emf-metrics.ts';
import { prometheusMetrics } from '../../../src/adapters/local/prometheus-metrics.ts';
import type { Metrics } from '../../../src/ports/metrics.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/observability.md'), 'utf8');
const named = (text: string): Set<string> => new Set(text.match(/\bhms_[a-z_]+[a-z]\b/g));

function tellEverything(metrics: Metrics): void {
  metrics.requestDone('getPolicy', 200, 1);
  metrics.requestDone('callService', 503, 1, true);
  metrics.serviceCalled('demo', 'check', 'answered', 1);
  metrics.serviceAnswerBroke('demo', 'check');
  metrics.servicesSeen('green', 1);
  metrics.eventsRelayed(1);
  metrics.runsOpen(1);
  metrics.jobEnded('other', 'completed', 1);
  metrics.jobFailed('other');
  metrics.jobsOpen('other', 1, 1, 1);
}

it('docs/observability.md has every metric of ours, and no other', async () => {
  const local = prometheusMetrics({ processMetrics: false });
  tellEverything(local);
  const types = (await local.text()).match(/^# TYPE \S+/gm) ?? [];
  const ofPrometheus = types.map((line) => line.slice('# TYPE '.length));
  const onlyOnAws = ['hms_service_requests_failed', 'hms_requests_failed_by_services'];
  expect([...named(page)].sort()).toEqual([...ofPrometheus, ...onlyOnAws].sort());
});

it('and on AWS they are called the same, with times in ms', () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  tellEverything(emfMetrics({ clock: { nowMs: () => 0 }, write }));
  const documented = [...named(page)].map((name) => name.replace(/_seconds$/, '_ms'));
  expect([...named(lines.join(''))].sort()).toEqual(documented.sort());
});

it('its rules for Prometheus can be read, and are called as on AWS', () => {
  const [, block = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const { groups } = parse(block) as { groups: { rules: { alert: string; expr: string }[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.map(({ alert }) => alert)).toEqual(
    expect.arrayContaining(['requests-failing', 'services-failing']),
  );
  for (const { expr } of rules) expect(named(expr).size, expr).toBeGreaterThan(0);
});
