import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, onTestFinished, test } from 'vitest';

import { bundleService } from '../../lib/constructs/bundle-service.ts';
import { rulePacks } from '../../lib/stacks/rule-packs.ts';
import { synthService } from './synth-service.ts';

const root = join(import.meta.dirname, '../..');
const { template } = synthService('prod');
const secretArn = { 'Fn::GetAtt': ['Secret', 'Id'] };

interface Alarm {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: unknown;
  readonly OKActions: unknown;
}

const alarmsOf = (made: typeof template) =>
  Object.values(made.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties as Alarm,
  );

describe('the stack of a service', () => {
  test('runs as all functions do: Node 24 on arm64, traced, with a JSON log that is kept for a time', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: Match.objectLike({ LogFormat: 'JSON' }),
    });
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
  });

  test('has no secret in it: what is shared with HMS is read by its ARN', () => {
    const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'));
    expect(secrets.map(({ Properties }) => Object.keys(Properties as object))).toEqual([
      ['Description'],
    ]);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          HMS_URL: 'https://hms.example/v1',
          HMS_TOKEN_URL: 'https://login.example/oauth2/token',
          HMS_SECRET_ARN: secretArn,
          HMS_LOG_LEVEL: 'info',
          HMS_METRICS_NAMESPACE: 'hms-prod',
        },
      },
    });
  });

  test('may read its own secret, and write its log and its traces', () => {
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    const statements = policies.flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement as Record<string, unknown>[],
    );
    expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        { 'Fn::GetAtt': [expect.stringMatching(/^ServiceLog/), 'Arn'] },
      ],
      ['secretsmanager:GetSecretValue', secretArn],
      [['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], '*'],
    ]);
  });

  test('has an open address, and can be invoked in no other way from outside', () => {
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission'));
    const allowed = permissions.map(({ Properties }) => {
      const { Action, FunctionUrlAuthType, InvokedViaFunctionUrl } = Properties;
      return [Action, FunctionUrlAuthType ?? InvokedViaFunctionUrl];
    });
    expect(allowed).toEqual([
      ['lambda:InvokeFunctionUrl', 'NONE'],
      ['lambda:InvokeFunction', true],
    ]);
  });

  test('cannot take the concurrency of the account away from all others', () => {
    const bound = { ReservedConcurrentExecutions: 50 };
    template.hasResourceProperties('AWS::Lambda::Function', bound);
  });

  test('ends a call when its manifest says so', () => {
    const slow = synthService('dev', { timeoutMs: 299_500 }).template;
    slow.hasResourceProperties('AWS::Lambda::Function', { Timeout: 300 });
  });

  test('rings at the topic of the platform, and at one of its own where none is named', () => {
    const platform = 'arn:aws:sns:us-east-1:000000000000:alarms';
    for (const alarm of alarmsOf(template)) {
      expect(alarm).toMatchObject({ AlarmActions: [platform], OKActions: [platform] });
    }
    template.resourceCountIs('AWS::SNS::Topic', 0);
    const alone = synthService('prod', { alarmTopicArn: null }).template;
    const own = [{ Ref: expect.stringMatching(/^Topic/) }];
    expect(alarmsOf(alone)).toHaveLength(2);
    for (const alarm of alarmsOf(alone)) {
      expect(alarm).toMatchObject({ AlarmActions: own, OKActions: own });
    }
  });

  test('has alarms on crashes and throttles, each with its entry in the runbook', () => {
    const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
    const names = alarmsOf(template).map(({ AlarmName, AlarmDescription }) => {
      const entry = AlarmDescription.split('docs/runbook.md#').at(-1) ?? '';
      expect(runbook).toContain(`\n## ${entry}\n`);
      expect(AlarmName).toBe(`hms-prod-${entry}-demo-payment-ledger`);
      return entry;
    });
    expect(names).toEqual(['service-crashing', 'service-throttled']);
  });

  test('is one for each tenant, whatever the service is called', () => {
    const { stackName } = synthService('prod');
    expect(stackName).toBe('hms-prod-service-demo-payment-ledger');
    expect(synthService('prod', { tenant: 'city.of_x' }).stackName).toBe(
      'hms-prod-service-city-of-x-payment-ledger',
    );
  });

  test.each(['dev', 'prod'] as const)('%s: cdk-nag finds nothing that has no answer', (stage) => {
    for (const alarmTopicArn of [null, 'arn:aws:sns:us-east-1:000000000000:alarms']) {
      const { app } = synthService(stage, { alarmTopicArn });
      const found = rulePacks(app).flatMap((pack) => pack.validateScope(app).violations);
      expect(found.map(({ ruleName }) => ruleName)).toEqual([]);
    }
  });
});

describe('the code of a service', () => {
  const load = async (folder: string) => {
    const entry = JSON.stringify(join(folder, 'index.mjs'));
    const script = `console.log(typeof (await import(${entry})).handler)`;
    const env = { AWS_REGION: 'us-east-1', HMS_SECRET_ARN: 'arn' };
    const args = ['--input-type=module', '--eval', script];
    // It ends by itself: it does not listen.
    return promisify(execFile)(process.execPath, args, { env, timeout: 10_000 });
  };

  test('is what hms new-service writes, as a handler that does not listen', async () => {
    const { folder, eagerBytes } = bundleService('x', join(root, 'sdk/template'));
    expect((await load(folder)).stdout).toBe('function\n');
    // The router, its adapter, and the client of Secrets Manager.
    expect(eagerBytes / 1024).toBeLessThan(280);
  });

  test('that is no such service is refused, with what is missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hms-no-service-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'service.ts'), 'export const serve = 1;');
    expect(() => bundleService('x', folder)).toThrow('"createService"');
  });
});
