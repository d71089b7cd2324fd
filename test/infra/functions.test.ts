import type { Template } from 'aws-cdk-lib/assertions';
import { expect, describe, test } from 'vitest';

import { synthStage } from './synth-stage.ts';

const { templates } = synthStage('prod');
const functions = Object.values(templates).flatMap((template) =>
  Object.entries(template.findResources('AWS::Lambda::Function')).map(([id, { Properties }]) => ({
    id,
    template,
    properties: Properties,
  })),
);

describe('functions', () => {
  test('there are twenty-seven, and all are ours', () => {
    expect(functions.map(({ id }) => id.replace(/(?:Function)+[0-9A-F]{8}$/, '')).sort()).toEqual([
      'AdvanceRun',
      'AnswerFrames',
      'CallService',
      'ChangePolicies',
      'Claims',
      'FileClaims',
      'GetPolicy',
      'LintPolicies',
      'ManageJobs',
      'ManageRollouts',
      'ManageServices',
      'NotifyPartners',
      'ProbeServices',
      'PushChanges',
      'QueryGraph',
      'QueryPolicies',
      'Reconcile',
      'ReconcileJobs',
      'Relay',
      'ReplayScenarios',
      'ServeDocs',
      'StreamPolicies',
      'Sweep',
      'TakeReports',
      'WorkCaseClose',
      'WorkEventDeliver',
      'WorkPotholeReport',
    ]);
  });

  test.each(functions)('$id runs Node 24 on arm64', ({ properties }) => {
    expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
  });

  test.each(functions)('$id is traced', ({ properties }) => {
    expect(properties).toMatchObject({ TracingConfig: { Mode: 'Active' } });
  });

  test.each(functions)('$id logs JSON, into a log that is kept for a year', (lambda) => {
    const { LogFormat, LogGroup } = lambda.properties.LoggingConfig;
    expect(LogFormat).toBe('JSON');
    const logs = lambda.template.findResources('AWS::Logs::LogGroup');
    expect(logs[LogGroup.Ref]?.['Properties']).toMatchObject({ RetentionInDays: 365 });
  });

  test('only those behind the gateway that verify tokens know the issuer', () => {
    const knowing = functions.filter(
      ({ properties }) => properties.Environment.Variables.HMS_ISSUER !== undefined,
    );
    expect(knowing).toHaveLength(11);
  });

  test('streams cannot take the concurrency of the account away from reads and writes', () => {
    const reserved = functions.filter(
      ({ properties }) => properties.ReservedConcurrentExecutions !== undefined,
    );
    expect(reserved.map(({ id }) => id)).toEqual([expect.stringMatching(/^StreamPolicies/)]);
  });

  test('a stream ends before its function does', () => {
    const stream = functions.find(({ id }) => id.startsWith('StreamPolicies'))?.properties;
    expect(Number(stream.Environment.Variables.HMS_STREAM_MAX_S)).toBeLessThan(stream.Timeout);
  });
});

describe('logs', () => {
  test.each(Object.entries(templates))(
    'of stack %s are all kept for a set time',
    (_name, template) => {
      for (const log of Object.values(template.findResources('AWS::Logs::LogGroup'))) {
        expect(log['Properties'].RetentionInDays).toBe(365);
      }
    },
  );
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** Services that know no resources: their actions can only be allowed for `*`. */
const withoutResources = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  // Of the state machine alone: its traces, and the delivery of its log.
  // https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];

const belowResources: Readonly<
  Record<string, { readonly actions: readonly string[]; readonly resource: RegExp }>
> = {
  'execute-api': {
    actions: ['execute-api:ManageConnections'],
    resource: /"\/v1\/(?:POST|DELETE)\/@connections\/\*"/,
  },
  s3: { actions: ['s3:GetObject', 's3:PutObject'], resource: /BlobsBucket[^*]*"\/\*"/ },
  states: {
    actions: ['states:DescribeExecution'],
    resource: /^[^*]*:execution:hms-prod-rollout:\*"[^*]*$/,
  },
  secretsmanager: {
    actions: ['CreateSecret', 'PutSecretValue', 'DeleteSecret', 'GetSecretValue'].map(
      (action) => `secretsmanager:${action}`,
    ),
    resource: /^[^*]*:secret:hms\/prod\/\*\/(?:partner|service)\/\*"[^*]*$/,
  },
};

function statements(template: Template): Statement[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy'));
  const roles = Object.values(template.findResources('AWS::IAM::Role'));
  const inline = roles.flatMap(({ Properties }) => (Properties.Policies ?? []) as object[]);
  return [...policies.map(({ Properties }) => Properties as object), ...inline].flatMap(
    (policy) => (policy as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement,
  );
}

const allowed = Object.values(templates)
  .flatMap(statements)
  .filter(({ Effect }) => Effect === 'Allow')
  .map((statement) => ({
    actions: [statement.Action].flat(),
    resources: [statement.Resource].flat(),
  }));

describe('what roles may do', () => {
  test('is there to be looked at', () => {
    expect(allowed.length).toBeGreaterThan(20);
  });

  test('names each action', () => {
    expect(
      allowed.flatMap(({ actions }) => actions).filter((action) => action.includes('*')),
    ).toEqual([]);
  });

  test('names each resource, but for services that know none', () => {
    const everywhere = allowed.filter(({ resources }) => resources.includes('*'));
    for (const { actions } of everywhere)
      expect(withoutResources).toEqual(expect.arrayContaining(actions));
  });

  test('reaches below a resource only where its parts have names that nobody knows', () => {
    const below = allowed.filter(({ resources }) =>
      resources.some((resource) => resource !== '*' && JSON.stringify(resource).includes('*')),
    );
    const kinds = new Set<string>();
    for (const { actions, resources } of below) {
      const kind = actions[0]?.split(':')[0] ?? '';
      expect(belowResources[kind]?.actions).toEqual(expect.arrayContaining(actions));
      expect(JSON.stringify(resources)).toMatch(belowResources[kind]?.resource ?? /^$/);
      kinds.add(kind);
    }
    expect([...kinds].sort()).toEqual(Object.keys(belowResources).sort());
  });

  test('uses our key only through the services that store with it', () => {
    for (const template of Object.values(templates)) {
      const uses = statements(template).filter(({ Action }) =>
        [Action].flat().some((action) => action.startsWith('kms:')),
      );
      for (const use of uses) {
        expect(use).toHaveProperty(['Condition', 'StringEquals', 'kms:ViaService']);
      }
    }
  });

  test('comes from no managed policy but the one that API Gateway demands', () => {
    const managed = Object.values(templates).flatMap((template) =>
      Object.values(template.findResources('AWS::IAM::Role')).flatMap(
        ({ Properties }) => (Properties.ManagedPolicyArns ?? []) as unknown[],
      ),
    );
    expect(managed).toHaveLength(1);
    expect(JSON.stringify(managed)).toContain('AmazonAPIGatewayPushToCloudWatchLogs');
  });
});
