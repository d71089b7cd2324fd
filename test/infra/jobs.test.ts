import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { jobPriorities } from '../../lib/constructs/job-queues.ts';
import { jobWorkers } from '../../src/compose/job-workers.ts';
import { workerTypes } from '../../src/contract/worker-types.ts';
import { jobLimits } from '../../src/core/jobs/job-limits.ts';
import {
  jobPriorities as servedPriorities,
  jobTypePattern,
} from '../../src/core/jobs/job-record.ts';
import type { PartnerTransport } from '../../src/ports/partner-transport.ts';
import { coreDeps } from '../support/core-deps.ts';
import { memorySecrets } from '../support/memory-secrets.ts';
import { synthStage } from './synth-stage.ts';

const { api, events, jobs, services, watch } = synthStage('prod').templates;

/** What it does is not asked for here. */
const partners: PartnerTransport = { send: () => Promise.reject(new Error('nobody is told')) };
const served = jobWorkers({ ...coreDeps(), secrets: memorySecrets(), partners });

interface QueueProperties {
  readonly QueueName?: string;
  readonly VisibilityTimeout: number;
  readonly MessageRetentionPeriod: number;
  readonly RedrivePolicy: {
    readonly maxReceiveCount: number;
    readonly deadLetterTargetArn: unknown;
  };
}

const queues = Object.entries(jobs.findResources('AWS::SQS::Queue')).map(([id, found]) => ({
  id,
  properties: found['Properties'] as QueueProperties,
}));
const named = new Map(queues.map((queue) => [queue.properties.QueueName ?? '', queue]));
const dashed = (type: string) => type.replaceAll('.', '-');
const lanes = workerTypes.flatMap((type) =>
  jobPriorities.map((priority) => ({
    type,
    priority,
    queue: named.get(`hms-prod-${dashed(type)}-${priority}`),
    dead: named.get(`hms-prod-${dashed(type)}-dead`),
  })),
);

interface FunctionProperties {
  readonly Description: string;
  readonly Timeout: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

function functionsOf(template: typeof jobs): Map<string, FunctionProperties> {
  return new Map(
    Object.entries(template.findResources('AWS::Lambda::Function')).map(([id, found]) => [
      id,
      found['Properties'] as FunctionProperties,
    ]),
  );
}

const workers = [...functionsOf(jobs)].filter(([id]) => id.startsWith('Work'));

describe('the queues', () => {
  test('are there for each type that we work on, and each priority that jobs have', () => {
    expect(jobPriorities).toEqual(servedPriorities);
    expect([...served.keys()].sort()).toEqual(workerTypes.toSorted());
    for (const type of workerTypes) expect(type).toMatch(jobTypePattern);
    const wanted = workerTypes.flatMap((type) =>
      [...jobPriorities, 'dead'].map((part) => `hms-prod-${dashed(type)}-${part}`),
    );
    // Besides, the reconciler's own dead letters, which have no name of ours.
    expect([...named.keys()].sort()).toEqual([...wanted, ''].sort());
    for (const name of wanted) expect(name).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
  });

  test.each(queues)('$id: under our key, over TLS alone, for 14 days', ({ id, properties }) => {
    expect(properties).toMatchObject({
      MessageRetentionPeriod: 14 * 24 * 3600,
      KmsMasterKeyId: { 'Fn::GetStackOutput': { StackName: 'hms-prod-data' } },
    });
    jobs.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: id }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sqs:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test.each(lanes)('$type, $priority: a message outlasts every attempt', ({ queue, dead }) => {
    const { maxReceiveCount, deadLetterTargetArn } = queue?.properties.RedrivePolicy ?? {};
    expect(deadLetterTargetArn).toEqual({ 'Fn::GetAtt': [dead?.id, 'Arn'] });
    const maxAttempts = 25;
    const hours = (queue?.properties.MessageRetentionPeriod ?? 0) / 3600;
    expect(maxReceiveCount).toBeGreaterThanOrEqual(maxAttempts + Math.ceil(hours / 10));
  });
});

describe('the workers', () => {
  const mappings = Object.values(jobs.findResources('AWS::Lambda::EventSourceMapping')).map(
    (found) => found['Properties'],
  );

  test.each(workers)('%s: ends before its jobs are handed out again', (id, { Timeout }) => {
    const fed = mappings.filter(({ FunctionName }) => FunctionName.Ref === id);
    const sources = fed.map(({ EventSourceArn }) => EventSourceArn['Fn::GetAtt'][0] as string);
    expect(sources).toHaveLength(jobPriorities.length);
    for (const source of sources) {
      const queue = queues.find((one) => one.id === source)?.properties;
      expect(queue?.VisibilityTimeout).toBeGreaterThanOrEqual(Timeout);
      // What a crash leaves behind is to come soon: the lease is over before.
      expect(queue?.VisibilityTimeout).toBeLessThanOrEqual(Timeout + jobLimits.leaseMs / 1000);
    }
  });

  test.each([...served.values()])(
    '$type: its function outlasts an attempt that takes all of its time',
    ({ type, timeoutMs = 60_000 }) => {
      const own = workers.find(([, { Description }]) => Description === `Works on jobs: ${type}`);
      expect(timeoutMs / 1000).toBeLessThan(own?.[1].Timeout ?? 0);
    },
  );

  test.each(lanes)('$type, $priority: is fed at once, and keeps what fails', ({ queue, type }) => {
    const source = { 'Fn::GetAtt': [queue?.id, 'Arn'] };
    const [mapping, ...others] = mappings.filter(
      ({ EventSourceArn }) => JSON.stringify(EventSourceArn) === JSON.stringify(source),
    );
    expect(others).toEqual([]);
    expect(mapping).toMatchObject({
      BatchSize: 10,
      MaximumBatchingWindowInSeconds: 0,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const { Description } = functionsOf(jobs).get(mapping.FunctionName.Ref) ?? {};
    expect(Description).toBe(`Works on jobs: ${type}`);
  });

  test.each(['dev', 'prod', 'emulator'] as const)(
    '%s: the higher the priority, the larger its share, and each has one',
    (stage) => {
      const { jobs: template } = synthStage(stage).templates;
      for (const type of workerTypes) {
        const shares = jobPriorities.map((priority) => {
          const name = `hms-${stage}-${dashed(type)}-${priority}`;
          const [id] = Object.keys(
            template.findResources('AWS::SQS::Queue', { Properties: { QueueName: name } }),
          );
          const EventSourceArn = { 'Fn::GetAtt': [id, 'Arn'] };
          const [found] = Object.values(
            template.findResources('AWS::Lambda::EventSourceMapping', {
              Properties: { EventSourceArn },
            }),
          );
          return Number(found?.['Properties'].ScalingConfig.MaximumConcurrency);
        });
        expect(shares).toEqual([...new Set(shares)].sort((a, b) => b - a));
        // Lambda takes no less.
        expect(shares.at(-1)).toBeGreaterThanOrEqual(2);
      }
    },
  );

  test.each(workers)('%s: may take turns from its own queues, and no others', (id) => {
    const sources = mappings
      .filter(({ FunctionName }) => FunctionName.Ref === id)
      .map(({ EventSourceArn }) => EventSourceArn);
    const role = jobs.findResources('AWS::Lambda::Function')[id]?.['Properties'].Role;
    const allowed = Object.values(jobs.findResources('AWS::IAM::Policy'))
      .map(({ Properties }) => Properties)
      .filter(({ Roles }) => Roles[0].Ref === role['Fn::GetAtt'][0])
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Action }) => JSON.stringify(Action).includes('sqs:'));
    expect(allowed).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'sqs:ChangeMessageVisibility',
          'sqs:DeleteMessage',
          'sqs:GetQueueAttributes',
          'sqs:ReceiveMessage',
          'sqs:SendMessage',
        ],
        Resource: expect.arrayContaining(sources),
      },
    ]);
    expect(allowed[0].Resource).toHaveLength(sources.length);
  });
});

describe('the reconciler', () => {
  test('runs every minute, and its failures are kept', () => {
    const deadLetters = { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] };
    jobs.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ DeadLetterConfig: { Arn: deadLetters } })],
    });
    jobs.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
      MaximumRetryAttempts: 0,
    });
  });
});

/** The references that stand in a text that is joined from parts. */
function joined(value: unknown): string {
  const [, parts] = (value as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
  return parts
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll('"', "'")))
    .join('');
}

describe('what functions are told of jobs', () => {
  const all = [jobs, api, events, services].map(functionsOf).flatMap((found) => Array.from(found));
  const told = (name: string) =>
    all.flatMap(([id, { Environment }]) => {
      const value = Environment.Variables[name];
      return value === undefined
        ? []
        : [{ id: id.replace(/(?:Function)+[0-9A-F]{8}$/, ''), value }];
    });

  test('all know over how many journals jobs are spread: 1 to 16, and the same', () => {
    const journals = told('HMS_JOB_JOURNALS');
    expect(journals.map(({ id }) => id).sort()).toEqual([
      'FileClaims',
      'ManageJobs',
      'ManageServices',
      'QueryPolicies',
      'ReconcileJobs',
      'Relay',
      'StreamPolicies',
      'Sweep',
      'WorkCaseClose',
      'WorkEventDeliver',
      'WorkPotholeReport',
    ]);
    expect(new Set(journals.map(({ value }) => value))).toEqual(new Set(['16']));
    for (const stage of ['dev', 'emulator'] as const) {
      const { templates } = synthStage(stage);
      expect(JSON.stringify(templates.jobs.toJSON())).toContain('"HMS_JOB_JOURNALS":"16"');
    }
  });

  test('who sends, or works, knows the queues by type and priority, and a worker only its own', () => {
    const known = told('HMS_JOB_QUEUES').map(({ id, value }) => {
      const urls = JSON.parse(joined(value)) as Record<string, Record<string, string>>;
      for (const [type, byPriority] of Object.entries(urls)) {
        for (const [priority, url] of Object.entries(byPriority)) {
          const lane = lanes.find((one) => one.type === type && one.priority === priority);
          expect(url).toContain(lane?.queue?.id);
        }
        expect(Object.keys(byPriority)).toEqual([...jobPriorities]);
      }
      return [id, Object.keys(urls)];
    });
    expect(Object.fromEntries(known)).toEqual({
      ManageJobs: workerTypes,
      ReconcileJobs: workerTypes,
      Relay: workerTypes,
      Sweep: workerTypes,
      WorkCaseClose: ['case.close'],
      WorkEventDeliver: ['event.deliver'],
      WorkPotholeReport: ['pothole.report'],
    });
  });

  test('workers know what becomes of an action that no rule governs', () => {
    for (const [, { Environment }] of workers) {
      expect(Environment.Variables).toMatchObject({ HMS_GOVERNANCE_DEFAULT: 'allow' });
    }
  });
});

describe('alarms', () => {
  test.each(workerTypes)(
    '%s: on age, and on jobs that are dead, by what our code counts',
    (type) => {
      const of = (name: string) => ({ AlarmName: `hms-prod-${name}-${dashed(type)}` });
      watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
        ...of('jobs-late'),
        Namespace: 'hms-prod',
        MetricName: 'hms_jobs_oldest_age_ms',
        Dimensions: [{ Name: 'type', Value: type }],
        Statistic: 'Minimum',
        Period: 300,
        Threshold: 15 * 60_000,
      });
      watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
        ...of('jobs-dead'),
        Namespace: 'hms-prod',
        MetricName: 'hms_jobs_ended_total',
        Dimensions: [
          { Name: 'outcome', Value: 'dead' },
          { Name: 'type', Value: type },
        ],
        Statistic: 'Sum',
        Threshold: 1,
      });
    },
  );

  test.each(workerTypes)('%s: on its function, and on its dead letters', (type) => {
    for (const [name, MetricName] of [
      ['job-workers-failing', 'Errors'],
      ['job-dead-letters', 'ApproximateNumberOfMessagesVisible'],
    ]) {
      watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: `hms-prod-${name}-${dashed(type)}`,
        MetricName,
        Threshold: 1,
      });
    }
  });

  test.each(lanes)('$type, $priority: on jobs that nobody takes; not on hidden ones', (lane) => {
    watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: `hms-prod-jobs-not-taken-${dashed(lane.type)}-${lane.priority}`,
      Threshold: 300,
      Metrics: Match.arrayWith([
        Match.objectLike({
          Expression: 'IF(waiting > 0 AND FILL(taken, 0) == 0, age, 0)',
          ReturnData: true,
        }),
        Match.objectLike({
          Id: 'age',
          MetricStat: Match.objectLike({
            Metric: Match.objectLike({ MetricName: 'ApproximateAgeOfOldestMessage' }),
          }),
        }),
      ]),
    });
  });

  test.each(lanes)('$type, $priority: long before SQS hands out nothing more', (lane) => {
    const [alarm] = Object.values(
      watch.findResources('AWS::CloudWatch::Alarm', {
        Properties: { AlarmName: `hms-prod-job-queue-full-${dashed(lane.type)}-${lane.priority}` },
      }),
    );
    expect(alarm?.['Properties'].MetricName).toBe('ApproximateNumberOfMessagesNotVisible');
    expect(alarm?.['Properties'].Threshold).toBeLessThan(120_000);
  });
});
