import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import type { Part } from '../../src/contract/operation.ts';
import { rateFrom } from '../../src/core/limits/rate-limits.ts';
import { stageConfig } from '../../lib/config.ts';
import { App } from 'aws-cdk-lib';
import { synthStage } from './synth-stage.ts';

const prod = synthStage('prod').templates;

interface FunctionProperties {
  readonly Timeout: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
}

function functionOf(template: typeof prod.api, id: string): FunctionProperties {
  const found = Object.entries(template.findResources('AWS::Lambda::Function'));
  const [made, ...others] = found.filter(([each]) => each.startsWith(`${id}Function`));
  if (made === undefined || others.length > 0) throw new Error(`no one function ${id}`);
  return made[1]['Properties'] as FunctionProperties;
}

describe('the prober', () => {
  const deadLetters = { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] };

  test('is called every minute, and its failures are kept', () => {
    prod.services.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ DeadLetterConfig: { Arn: deadLetters } })],
    });
    prod.services.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
      MaximumRetryAttempts: 0,
    });
  });

  test('outlasts the 63 seconds that it goes on for, and the last probe, of 10', () => {
    expect(functionOf(prod.services, 'ProbeServices').Timeout).toBeGreaterThan(63 + 10);
  });
});

describe('who connects to services, or tells them of events', () => {
  const connecting = [
    ['api', 'ManageServices'],
    ['api', 'CallService'],
    ['services', 'ProbeServices'],
    ['jobs', 'WorkEventDeliver'],
  ] as const;

  test.each(connecting)(
    '%s, %s: goes into no private network but those of the stage',
    (stack, id) => {
      const told = (stage: 'prod' | 'emulator') =>
        functionOf(synthStage(stage).templates[stack], id).Environment.Variables[
          'HMS_ALLOW_TARGETS'
        ];
      expect(told('prod')).toBeUndefined();
      expect(told('emulator')).toBe('127.0.0.0/8');
    },
  );
});

describe('limits of how often somebody may call', () => {
  const limited = {
    changes: 'ChangePolicies',
    rollouts: 'ManageRollouts',
    reports: 'TakeReports',
    jobs: 'ManageJobs',
    claims: 'FileClaims',
    services: 'ManageServices',
    gateway: 'CallService',
  } as const satisfies Partial<Record<Part, string>>;
  const reading = {
    rules: 'GetPolicy',
    queries: 'QueryPolicies',
    stream: 'StreamPolicies',
    graph: 'QueryGraph',
    open: 'ServeDocs',
  } as const satisfies Record<Exclude<Part, keyof typeof limited>, string>;

  test.each(['dev', 'prod', 'emulator'] as const)(
    '%s: every part that may write has them',
    (stage) => {
      const { limits } = stageConfig(
        new App({ context: stage === 'emulator' ? { emulator: true } : { stage } }).node,
        undefined,
      );
      for (const id of Object.values(limited)) {
        const { Variables } = functionOf(synthStage(stage).templates.api, id).Environment;
        for (const of of ['tenant', 'client'] as const) {
          const name = `HMS_RATE_LIMIT_${of.toUpperCase()}`;
          expect(rateFrom(name, Variables[name], null)).toEqual(limits[of]);
        }
      }
      // One client is not to use up what its whole tenant has.
      expect(limits.client.perSecond).toBeLessThan(limits.tenant.perSecond);
    },
  );

  test.each(Object.values(reading))('%s: counts no calls, as it may write nothing', (id) => {
    const { Variables } = functionOf(prod.api, id).Environment;
    expect(Object.keys(Variables).filter((name) => name.startsWith('HMS_RATE'))).toEqual([]);
  });

  test.each(['dev', 'prod'] as const)(
    '%s: no tenant takes all that the stage lets through',
    (stage) => {
      const { limits, throttle } = stageConfig(new App({ context: { stage } }).node, undefined);
      expect(limits.tenant.perSecond).toBeLessThan(throttle.requestsPerS);
    },
  );
});

describe('alarms', () => {
  test.each([
    ['prober-failing', 'Errors', 3],
    ['prober-dead-letters', 'ApproximateNumberOfMessagesVisible', 1],
  ])('%s rings by what it says', (name, MetricName, Threshold) => {
    prod.watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: `hms-prod-${name}`,
      MetricName,
      Threshold,
    });
  });

  const metric = (Id: string, MetricName: string, Stat: string, more: object = {}) =>
    Match.objectLike({
      Id,
      MetricStat: Match.objectLike({ Metric: Match.objectLike({ MetricName, ...more }), Stat }),
    });

  test('a gateway that fails pages someone; answers of services that break off do not', () => {
    prod.watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'hms-prod-gateway-failing',
      Threshold: 5,
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'errors - FILL(broken, 0)', ReturnData: true }),
        metric('errors', 'Errors', 'Sum'),
        metric('broken', 'hms_service_answers_broken_total', 'Sum', { Namespace: 'hms-prod' }),
      ]),
    });
  });

  test('services that fail are told of, by their share of calls', () => {
    prod.watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'hms-prod-services-failing',
      Threshold: 5,
      AlarmActions: [{ Ref: Match.stringLikeRegexp('^Notices') }],
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'IF(calls >= 20, 100 * failed / calls, 0)' }),
        metric('calls', 'hms_service_requests_total', 'Sum', { Namespace: 'hms-prod' }),
        metric('failed', 'hms_service_requests_failed', 'Sum', { Namespace: 'hms-prod' }),
      ]),
    });
  });

  test('half of all services being red pages someone: it is hardly all of their own making', () => {
    prod.watch.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'hms-prod-most-services-red',
      Threshold: 50,
      EvaluationPeriods: 2,
      Metrics: Match.arrayWith([
        Match.objectLike({
          Expression: 'IF(green + yellow + red >= 10, 100 * red / (green + yellow + red), 0)',
        }),
        metric('red', 'hms_services', 'Maximum', {
          Dimensions: [{ Name: 'status', Value: 'red' }],
        }),
      ]),
    });
  });
});
