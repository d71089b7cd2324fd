import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { synthStage } from './synth-stage.ts';

const { api, events, push } = synthStage('prod').templates;

const { AnswerFrames, PushChanges } = Object.fromEntries(
  Object.entries(push.findResources('AWS::Lambda::Function')).map(([id, { Properties }]) => [
    id.replace(/Function.*$/, ''),
    Properties,
  ]),
);

describe('the WebSocket API', () => {
  const routes = Object.values(push.findResources('AWS::ApiGatewayV2::Route')).map(
    ({ Properties }) => Properties,
  );

  test('hands connections and all that clients say to one function', () => {
    expect(new Set(routes.map(({ RouteKey }) => RouteKey))).toEqual(
      new Set(['$connect', '$default', '$disconnect']),
    );
    expect(routes).toHaveLength(3);
    expect(new Set(routes.map(({ Target }) => JSON.stringify(Target))).size).toBe(1);
    push.allResourcesProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: Match.objectLike({
        'Fn::Join': [
          '',
          Match.arrayWith([{ 'Fn::GetAtt': [Match.stringLikeRegexp('^AnswerFrames'), 'Arn'] }]),
        ],
      }),
    });
  });

  test('is throttled and measured, and logs no query and no frame', () => {
    push.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: 'v1',
      DefaultRouteSettings: {
        ThrottlingRateLimit: 5000,
        ThrottlingBurstLimit: 5000,
        DetailedMetricsEnabled: true,
      },
    });
    const [stage] = Object.values(push.findResources('AWS::ApiGatewayV2::Stage'));
    const { Format } = stage?.['Properties'].AccessLogSettings ?? {};
    expect(JSON.parse(Format)).toMatchObject({ connection: '$context.connectionId' });
    expect(Format).not.toMatch(/query|header|body|message\b/i);
  });

  test('may write that log: one role for all APIs, which stays', () => {
    const accounts = [push, api].flatMap((template) =>
      Object.values(template.findResources('AWS::ApiGateway::Account')),
    );
    expect(accounts).toMatchObject([{ DeletionPolicy: 'Retain' }]);
    const [stage] = Object.values(push.findResources('AWS::ApiGatewayV2::Stage'));
    expect(stage?.['DependsOn']).toContainEqual(expect.stringMatching(/^GatewayLogAccount/));
  });

  test('is where tickets lead to, and where functions post to', () => {
    const address = JSON.stringify(PushChanges?.Environment.Variables.HMS_PUSH_ENDPOINT);
    expect(address).toMatch(/"https:\/\/".*"\.execute-api\."/);
    expect(address).toMatch(/\/v1"/);
    const [reports] = Object.values(
      api.findResources('AWS::Lambda::Function', {
        Properties: { Description: Match.stringLikeRegexp('tickets for WebSockets') },
      }),
    );
    const url = JSON.stringify(reports?.['Properties'].Environment.Variables.HMS_PUSH_URL);
    expect(url).toMatch(/"wss:\/\/".*"hms-prod-push".*"\.execute-api\.".*"\/v1"/);
  });
});

describe('the queue of what is to be told', () => {
  const [queue, dead] = ['Queue', 'DeadLetters'].map((name) =>
    Object.entries(push.findResources('AWS::SQS::Queue')).find(([id]) =>
      id.startsWith(`Push${name}`),
    ),
  );

  test('keeps the order of each shard, and shards do not wait for one another', () => {
    expect(queue?.[1]?.['Properties']).toMatchObject({
      FifoQueue: true,
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      RedrivePolicy: {
        maxReceiveCount: 5,
        deadLetterTargetArn: { 'Fn::GetAtt': [dead?.[0], 'Arn'] },
      },
    });
    expect(dead?.[1]?.['Properties']).toMatchObject({
      FifoQueue: true,
      MessageRetentionPeriod: 14 * 24 * 3600,
    });
    for (const each of [queue, dead]) {
      expect(each?.[1]?.['Properties']).toHaveProperty('KmsMasterKeyId');
    }
  });

  test('hides what is under way for longer than its function may take', () => {
    const { VisibilityTimeout } = queue?.[1]?.['Properties'] ?? {};
    expect(VisibilityTimeout).toBeGreaterThan(PushChanges?.Timeout);
    push.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      EventSourceArn: { 'Fn::GetAtt': [queue?.[0], 'Arn'] },
    });
  });

  test('is known to those who relay, and to those who subscribe', () => {
    for (const id of ['Relay', 'Sweep']) {
      const lambda = Object.entries(events.findResources('AWS::Lambda::Function')).find(([name]) =>
        name.startsWith(id),
      );
      expect(lambda?.[1]['Properties'].Environment.Variables).toHaveProperty('HMS_PUSH_QUEUE');
    }
    expect(AnswerFrames?.Environment.Variables.HMS_PUSH_QUEUE).toEqual({ Ref: queue?.[0] });
  });
});
