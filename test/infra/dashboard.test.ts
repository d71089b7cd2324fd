import { describe, expect, test } from 'vitest';

import type { Part } from '../../src/contract/operation.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { workerTypes } from '../../src/contract/worker-types.ts';
import { synthStage } from './synth-stage.ts';

const { templates } = synthStage('prod');

/** A line of a graph as CloudWatch has it: a metric and its dimensions in turn, then how it is drawn. */
type Line = readonly (string | Drawn)[];

interface Drawn {
  readonly label?: string;
  readonly expression?: string;
  readonly id?: string;
  readonly visible?: boolean;
}

interface Widget {
  readonly properties: { readonly title: string; readonly metrics: readonly Line[] };
}

/** The page, with what is only known when it is deployed as `?`. */
function page(): { name: string; widgets: Map<string, readonly Line[]> } {
  const [found] = Object.values(templates.watch.findResources('AWS::CloudWatch::Dashboard'));
  const { DashboardName, DashboardBody } = found?.['Properties'] ?? {};
  const parts = DashboardBody['Fn::Join'][1] as unknown[];
  const text = parts.map((part) => (typeof part === 'string' ? part : '?')).join('');
  const { widgets } = JSON.parse(text) as { widgets: Widget[] };
  return {
    name: DashboardName,
    widgets: new Map(widgets.map(({ properties: { title, metrics } }) => [title, metrics])),
  };
}

function dimensionOf(line: Line, dimension: string): string {
  const value = line[line.indexOf(dimension) + 1];
  return typeof value === 'string' ? value : '';
}

const { name, widgets } = page();
const drawnOf = (line: Line) => line.at(-1) as Drawn;
const lines = (title: string) => {
  const found = widgets.get(title);
  if (found === undefined) throw new Error(`there is no graph "${title}"`);
  return found;
};
const labels = (title: string) =>
  lines(title)
    .map(drawnOf)
    .filter(({ visible }) => visible !== false)
    .map(({ label = '' }) => label);

describe('the dashboard', () => {
  test('is called after the stage', () => {
    expect(name).toBe('hms-prod');
  });

  const parts = [...new Set(allOperations.map(({ part }) => part))];

  test.each(['Requests by part', 'Failures by part'])('%s: of all its operations', (title) => {
    expect(labels(title).toSorted()).toEqual(parts.toSorted());
    const shown = lines(title).map((line) => drawnOf(line));
    for (const part of parts) {
      const { expression = '' } = shown.find(({ label }) => label === part) ?? {};
      const ids = [...expression.matchAll(/FILL\((\w+), 0\)/g)].map(([, id]) => id);
      expect(operationsAt(title, ids)).toEqual(countsOf(part));
    }
  });

  function operationsAt(title: string, ids: readonly (string | undefined)[]): string[] {
    const own = lines(title).filter((line) => ids.includes(drawnOf(line).id));
    return own.map((line) => dimensionOf(line, 'operation')).sort();
  }

  function countsOf(part: Part): string[] {
    const own = allOperations.filter((operation) => operation.part === part);
    return [...new Set(own.map(({ id, countedAs }) => countedAs ?? id))].sort();
  }

  test('shows how long each part takes, but for streams', () => {
    const timed = labels('Latency by part: p99, ms');
    expect(timed).toEqual(expect.arrayContaining(parts.filter((part) => part !== 'stream')));
    expect(timed).not.toContain('stream');
  });

  test.each([
    ['Jobs waiting (left) and running (right)', ['hms_jobs_waiting', 'hms_jobs_running']],
    ['Jobs: the oldest that waits, ms', ['hms_jobs_oldest_age_ms']],
    ['Jobs dead', ['hms_jobs_ended_total']],
  ])('%s, by type', (title, metrics) => {
    const shown = lines(title).map((line) => [line[1], dimensionOf(line, 'type')]);
    const wanted = metrics.flatMap((metric) => workerTypes.map((type) => [metric, type]));
    expect(shown).toEqual(wanted);
  });

  test('shows how services are, and those that fail most and take longest', () => {
    const colours = lines('Services by colour').map((line) => [
      line[1],
      dimensionOf(line, 'status'),
    ]);
    expect(colours).toEqual(['green', 'yellow', 'red'].map((status) => ['hms_services', status]));
    for (const [title, metric, statistic] of [
      ['Calls of services that failed: the most', 'hms_service_requests_failed', 'Sum'],
      ['Latency of services: p99, ms, the longest', 'hms_service_request_duration_ms', 'p99'],
    ] as const) {
      const [{ expression } = {}] = lines(title).map(drawnOf);
      const search = `SEARCH('{"hms-prod",tenant,service} MetricName="${metric}"', '${statistic}', 300)`;
      expect(expression).toBe(`SORT(${search}, MAX, DESC, 10)`);
    }
  });

  test('shows how far the relay is behind, and how many rollouts are open', () => {
    expect(lines('Relay: age, ms')[0]?.slice(0, 2)).toEqual(['AWS/Lambda', 'IteratorAge']);
    expect(lines('Rollouts open')[0]?.slice(0, 2)).toEqual(['hms-prod', 'hms_runs_open']);
  });

  test('shows every function that fails or is throttled', () => {
    const functions = Object.values(templates).flatMap((template) =>
      Object.keys(template.findResources('AWS::Lambda::Function')),
    );
    for (const title of [
      'Functions that crashed or ran out of time',
      'Functions that were throttled',
    ]) {
      expect(new Set(labels(title)).size).toBe(functions.length);
    }
  });

  test('shows every queue of dead letters', () => {
    const dead = Object.values(templates).flatMap((template) =>
      Object.values(template.findResources('AWS::SQS::Queue')).filter(
        ({ Properties }) => Properties.RedrivePolicy === undefined,
      ),
    );
    expect(new Set(labels('Dead letters')).size).toBe(dead.length);
  });

  test('shows what DynamoDB turned away', () => {
    expect(labels('DynamoDB: what it turned away')).toEqual(
      expect.arrayContaining(['ReadThrottleEvents', 'WriteThrottleEvents']),
    );
  });
});
