import { App } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';

import { stageConfig } from '../../lib/config.ts';
import { rulePacks } from '../../lib/stacks/rule-packs.ts';
import { apiRoutes } from './api-routes.ts';
import { synthStage } from './synth-stage.ts';

const config = (context: Record<string, unknown>, endpointUrl?: string) =>
  stageConfig(new App({ context }).node, endpointUrl);

describe('the stage', () => {
  test('is dev unless named', () => {
    expect(config({}).stage).toBe('dev');
    expect(config({ stage: 'prod' }).stage).toBe('prod');
  });

  test.each(['production', '', 'toString', 7])(
    '%j: an error that names those there are',
    (stage) => {
      expect(() => config({ stage })).toThrow(
        `${JSON.stringify(stage)}; -c stage= takes dev, prod, emulator`,
      );
    },
  );

  test('is the emulator with -c emulator=true, where AWS_ENDPOINT_URL says', () => {
    expect(config({ emulator: 'true' }).emulatorUrl).toBe('http://127.0.0.1:4566');
    expect(config({ emulator: true }, 'http://127.0.0.1:9').emulatorUrl).toBe('http://127.0.0.1:9');
  });

  test('on AWS knows no endpoint, whatever the environment says', () => {
    expect(config({ stage: 'prod' }, 'http://127.0.0.1:9').emulatorUrl).toBeNull();
  });

  test('takes the address of who is told of alarms from the context', () => {
    expect(config({ alarmEmail: 'ops@example.org' }).alarmEmail).toBe('ops@example.org');
    expect(config({}).alarmEmail).toBeNull();
  });

  test('takes the address that partners get mail from, and nothing that is none', () => {
    expect(config({ mailFrom: 'rules@agency.example' }).mailFrom).toBe('rules@agency.example');
    expect(config({}).mailFrom).toBeNull();
    for (const mailFrom of ['agency.example', 'Rules <rules@agency.example>', 'a@b@c', '', 7]) {
      expect(() => config({ mailFrom })).toThrow('-c mailFrom= takes one mail address');
    }
  });

  test('lets partners be told in no private network, but on the emulator', () => {
    expect(config({}).allowedTargets).toEqual([]);
    expect(config({ stage: 'prod' }).allowedTargets).toEqual([]);
    expect(config({ emulator: true }).allowedTargets).toEqual(['127.0.0.0/8']);
  });

  test('prod keeps its state and is protected; dev cleans up', () => {
    expect(config({ stage: 'prod' })).toMatchObject({
      removalPolicy: 'retain',
      deletionProtection: true,
    });
    expect(config({ stage: 'dev' })).toMatchObject({
      removalPolicy: 'destroy',
      deletionProtection: false,
    });
  });
});

const emulator = synthStage('emulator').templates;
const resources = Object.values(emulator).flatMap((template) =>
  Object.values<{ Type: string; Properties: object }>(template.toJSON().Resources),
);

describe('the emulator gets the platform', () => {
  test('without the types that it rejects', () => {
    const rejected = new Set([
      'AWS::Events::Archive',
      'AWS::Logs::MetricFilter',
      'AWS::WAFv2::WebACLAssociation',
      'AWS::WAFv2::LoggingConfiguration',
    ]);
    expect(resources.map(({ Type }) => Type).filter((type) => rejected.has(type))).toEqual([]);
  });

  test('without metric math, and with every other alarm', () => {
    const alarms = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    expect(alarms).toHaveLength(39);
    for (const { Properties } of alarms) expect(Properties).not.toHaveProperty('Metrics');
  });

  test('with a stream that answers in one piece', () => {
    const stream = apiRoutes(emulator.api).get('GET /api/stream/policies');
    expect(stream?.Integration).not.toHaveProperty('ResponseTransferMode');
    expect(stream?.Integration).not.toHaveProperty('TimeoutInMillis');
    expect(JSON.stringify(stream?.Integration['Uri'])).toMatch(
      /path\/2015-03-31\/functions\/.*\/invocations"/,
    );
  });

  test('with an address to send mail from, which on AWS its owner has confirmed', () => {
    const type = 'AWS::SES::EmailIdentity';
    emulator.rollout.hasResourceProperties(type, { EmailIdentity: 'rules@hms.example' });
    const { rollout } = synthStage('prod', { mailFrom: 'rules@agency.example' }).templates;
    rollout.resourceCountIs(type, 0);
  });

  test('and with every route of the others', () => {
    const routes = (stage: 'dev' | 'emulator') => [
      ...apiRoutes(synthStage(stage).templates.api).keys(),
    ];
    expect(routes('emulator')).toEqual(routes('dev'));
  });

  test('verifying tokens by the keys that it serves, under the name that it signs as', () => {
    const [lambda] = Object.values(
      emulator.api.findResources('AWS::Lambda::Function', {
        Properties: { Description: 'GraphQL' },
      }),
    );
    const { HMS_ISSUER, HMS_JWKS_URI } = lambda?.['Properties'].Environment.Variables ?? {};
    expect(JSON.stringify(HMS_ISSUER)).toContain('https://cognito-idp.');
    expect(JSON.stringify(HMS_JWKS_URI)).toContain('http://127.0.0.1:4566/');
  });
});

describe('cdk-nag', () => {
  test.each(['dev', 'prod'] as const)('finds nothing in %s that has no answer', (stage) => {
    const { app } = synthStage(stage);
    const found = rulePacks(app).flatMap((pack) =>
      pack
        .validateScope(app)
        .violations.flatMap(({ ruleName, violatingResources }) =>
          violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
        ),
    );
    expect(found).toEqual([]);
  });
});
