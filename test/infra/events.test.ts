import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { entrySort } from '../../src/core/journal/journal-keys.ts';
import { synthStage } from './synth-stage.ts';

const { data, events, rollout, watch } = synthStage('prod').templates;
const deadLetters = { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] };

describe('the relay', () => {
  const [mapping] = Object.values(events.findResources('AWS::Lambda::EventSourceMapping')).map(
    (found) => found['Properties'],
  );

  test('is woken by new journal entries and nothing else', () => {
    expect(JSON.parse(mapping.FilterCriteria.Filters[0].Pattern)).toEqual({
      eventName: ['INSERT'],
      dynamodb: { Keys: { sk: { S: [{ prefix: 'entry#' }] } } },
    });
    expect(entrySort(7)).toMatch(/^entry#/);
  });

  test('keeps the order: one batch at a time, repeated whole', () => {
    expect(mapping).toMatchObject({
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: false,
      MaximumBatchingWindowInSeconds: 0,
      MaximumRetryAttempts: -1,
    });
    expect(mapping).not.toHaveProperty('FunctionResponseTypes');
  });

  test('misses nothing at its start, and hands over what it gives up', () => {
    events.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      MaximumRecordAgeInSeconds: 3600,
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
    });
  });
});

describe('the sweep', () => {
  test('runs every minute, and its failures are kept', () => {
    events.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ DeadLetterConfig: { Arn: deadLetters } })],
    });
    events.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
      MaximumRetryAttempts: 0,
    });
  });

  test('ends before the next begins', () => {
    const sweep = events.findResources('AWS::Lambda::Function', {
      Properties: { Description: Match.stringLikeRegexp('due rules') },
    });
    expect(Object.values(sweep).map(({ Properties }) => Properties.Timeout < 60)).toEqual([true]);
  });
});

describe('the bus', () => {
  test('has a name to subscribe to, and an archive to replay from', () => {
    events.hasResourceProperties('AWS::Events::EventBus', { Name: 'hms-prod' });
    events.hasResourceProperties('AWS::Events::Archive', {
      RetentionDays: 90,
      SourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^PoliciesBus'), 'Arn'] },
    });
  });

  test('every rule of ours has a queue for what it cannot deliver', () => {
    for (const rule of Object.values(events.findResources('AWS::Events::Rule'))) {
      for (const target of rule['Properties'].Targets) {
        expect(target).toHaveProperty('DeadLetterConfig.Arn');
      }
    }
  });
});

describe('dead letters', () => {
  test('are kept for 14 days, under our key, and come over TLS alone', () => {
    events.hasResourceProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: 14 * 24 * 3600,
      KmsMasterKeyId: Match.anyValue(),
    });
    events.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('EventBridge may use our key, for its deliveries in this account', () => {
    data.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });
});

const alarms = Object.values(watch.findResources('AWS::CloudWatch::Alarm')).map(
  (alarm) => alarm['Properties'],
);
/** The heading in the runbook to which an alarm links. */
const entryOf = ({ AlarmDescription }: { AlarmDescription: string }) =>
  AlarmDescription.split('docs/runbook.md#').at(-1) ?? '';
const entries = [...new Set(alarms.map((alarm) => entryOf(alarm)))];
const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');

describe('alarms', () => {
  test('watch requests, reads, writes, tokens, the relay, rollouts, jobs, services and dead letters', () => {
    expect(entries.toSorted()).toEqual([
      'dead-letters',
      'gateway-failing',
      'job-dead-letters',
      'job-queue-full',
      'job-reconciler-failing',
      'job-workers-failing',
      'jobs-dead',
      'jobs-late',
      'jobs-not-taken',
      'most-services-red',
      'prober-dead-letters',
      'prober-failing',
      'push-dead-letters',
      'push-failing',
      'push-late',
      'reads-slow',
      'reconciler-failing',
      'relay-behind',
      'relay-failing',
      'requests-failing',
      'rollout-dead-letters',
      'rollout-tasks-failing',
      'runs-lost',
      'runs-piling-up',
      'services-failing',
      'sweep-failing',
      'tokens-failing',
      'writes-failing',
      'writes-throttled',
    ]);
  });

  test('5 % of requests failing over 10 minutes pages someone, unless there are hardly any', () => {
    watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'hms-prod-requests-failing',
      Threshold: 5,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Metrics: Match.arrayWith([
        Match.objectLike({
          Expression:
            'IF(requests >= 20 AND failures > FILL(ofServices, 0), ' +
            '100 * (failures - FILL(ofServices, 0)) / requests, 0)',
          ReturnData: true,
        }),
        Match.objectLike({
          Id: 'failures',
          MetricStat: Match.objectLike({
            Metric: Match.objectLike({ MetricName: '5XXError', Namespace: 'AWS/ApiGateway' }),
            Period: 600,
            Stat: 'Sum',
          }),
        }),
        // A service of a tenant that fails is no failure of ours.
        Match.objectLike({
          Id: 'ofServices',
          MetricStat: {
            Metric: { MetricName: 'hms_requests_failed_by_services', Namespace: 'hms-prod' },
            Period: 600,
            Stat: 'Sum',
          },
        }),
      ]),
    });
  });

  test('the read path is watched at its 99th percentile', () => {
    watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'hms-prod-reads-slow',
      ExtendedStatistic: 'p99',
      Dimensions: Match.arrayWith([{ Name: 'Resource', Value: '/api/policies/{id}' }]),
    });
  });

  test('the numbers of one stage alone are watched, as its functions write them', () => {
    for (const [name, MetricName] of [
      ['runs-piling-up', 'hms_runs_open'],
      ['runs-lost', 'hms_runs_lost'],
    ]) {
      watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: `hms-prod-${name}`,
        Namespace: 'hms-prod',
        MetricName,
        Dimensions: Match.absent(),
      });
    }
    rollout.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ HMS_METRICS_NAMESPACE: 'hms-prod' }) },
    });
  });

  test('the tasks of rollouts are watched together', () => {
    watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'hms-prod-rollout-tasks-failing',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'lint + replay + advance + notify', ReturnData: true }),
      ]),
    });
  });

  test.each(alarms)('$AlarmName tells people when it begins and when it ends', (alarm) => {
    // One for those who mend what is ours, one for those who want to hear of services.
    const told = entryOf(alarm) === 'services-failing' ? /^Notices/ : /^Topic/;
    const topic = [{ Ref: expect.stringMatching(told) }];
    expect(alarm).toMatchObject({ AlarmActions: topic, OKActions: topic });
  });

  test('have an entry in the runbook, which has none without an alarm', () => {
    const headings = [...runbook.matchAll(/^## (\S+)$/gm)].map(([, name]) => name ?? '');
    // Those of services are in stacks of their own.
    const ofServices = ['service-crashing', 'service-throttled'];
    expect(headings.sort()).toEqual([...entries, ...ofServices].sort());
  });

  test.each(alarms)('$AlarmName is called after its entry', (alarm) => {
    expect(alarm.AlarmName).toMatch(new RegExp(`^hms-prod-${entryOf(alarm)}(?:-|$)`));
  });
});

describe('the topic', () => {
  test('is encrypted under our key, and CloudWatch of this account alone publishes', () => {
    watch.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    watch.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });
});
