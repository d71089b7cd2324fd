import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { synthStage } from './synth-stage.ts';

const root = join(import.meta.dirname, '../..');
const { api, rollout } = synthStage('prod').templates;
const [machine] = Object.values(rollout.findResources('AWS::StepFunctions::StateMachine')).map(
  (found) => found['Properties'],
);

interface State {
  readonly Resource?: string;
  readonly Parameters: Readonly<Record<string, unknown>>;
  readonly TimeoutSeconds?: number;
  readonly Retry?: unknown;
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}

const { States: topStates } = JSON.parse(machine.DefinitionString) as {
  States: Record<string, State>;
};
/** Those within a map too. */
const states = Object.values(topStates).flatMap((state) =>
  [state].concat(Object.values(state.ItemProcessor?.States ?? {})),
);
const tasks = states.filter(({ Resource }) => Resource !== undefined);

interface Variables {
  readonly [name: string]: unknown;
}

function functionOf(template: typeof rollout, description: string) {
  const [found] = Object.values(
    template.findResources('AWS::Lambda::Function', {
      Properties: { Description: Match.stringLikeRegexp(description) },
    }),
  );
  return found?.['Properties'] as { Timeout: number; Environment: { Variables: Variables } };
}

describe('the state machine', () => {
  test('is the file, whose stages a person finds in the console', () => {
    const file = readFileSync(join(root, 'statemachines/rollout.asl.json'), 'utf8');
    expect(JSON.parse(machine.DefinitionString)).toEqual(JSON.parse(file));
    const stages = ['Lint', 'Simulate', 'Approve', 'Canary', 'Review', 'Rollout', 'Notify'];
    expect(Object.keys(topStates)).toEqual(expect.arrayContaining(stages));
  });

  test('has a function for every placeholder, and no other', () => {
    const placeholders = new Set(
      [...machine.DefinitionString.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name as string),
    );
    const { InvokeAndWait, ...functions } = machine.DefinitionSubstitutions;
    expect(Object.keys(machine.DefinitionSubstitutions).sort()).toEqual([...placeholders].sort());
    for (const [name, arn] of Object.entries(functions)) {
      expect(arn).toEqual({
        'Fn::GetAtt': [expect.stringMatching(new RegExp(`^${name}Function`)), 'Arn'],
      });
    }
    expect(JSON.stringify(InvokeAndWait)).toContain(':states:::lambda:invoke.waitForTaskToken');
  });

  test('is standard, traced, and has the name that all who call it know', () => {
    expect(machine).toMatchObject({
      StateMachineType: 'STANDARD',
      StateMachineName: 'hms-prod-rollout',
      TracingConfiguration: { Enabled: true },
    });
  });

  test('logs all of its steps, and none of their data: the tokens of tasks are among it', () => {
    expect(machine.LoggingConfiguration).toMatchObject({
      Level: 'ALL',
      IncludeExecutionData: false,
    });
  });

  test('may call its tasks, as they are, and no other function', () => {
    const [role] = machine.RoleArn['Fn::GetAtt'];
    const calls = Object.values(rollout.findResources('AWS::IAM::Policy'))
      .map(({ Properties }) => Properties)
      .filter(({ Roles }) => Roles.some(({ Ref }: { Ref: string }) => Ref === role))
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Action }) => [Action].flat().includes('lambda:InvokeFunction'));
    const ids = ['AdvanceRun', 'LintPolicies', 'NotifyPartners', 'ReplayScenarios'];
    expect(calls).toEqual([
      {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: ids.map((id) => ({
          'Fn::GetAtt': [expect.stringMatching(new RegExp(`^${id}Function`)), 'Arn'],
        })),
      },
    ]);
  });

  test.each([
    ['LintPolicies', 'against their schemas'],
    ['ReplayScenarios', 'recorded scenarios'],
    ['AdvanceRun', 'approval, canary'],
    ['NotifyPartners', 'tells partners'],
  ])('%s ends before the state does that lets it run longest', (name, description) => {
    const own = tasks.filter(
      ({ Parameters, Resource }) => (Parameters['FunctionName'] ?? Resource) === `\${${name}}`,
    );
    // Those that wait for people wait far longer.
    const limits = own.filter(({ Parameters }) => Parameters['FunctionName'] === undefined);
    const longestS = Math.max(...limits.map(({ TimeoutSeconds = 0 }) => TimeoutSeconds));
    const { Timeout } = functionOf(rollout, description);
    expect(Timeout).toBeLessThan(longestS);
    expect(Timeout).toBeGreaterThan(longestS - 15);
    for (const { Retry } of own) expect(Retry).toBeDefined();
  });
});

describe('who starts, wakes or asks for executions', () => {
  const callers = [
    ['Publish, store', api],
    ['Runs, tickets', api],
    ['against their schemas', rollout],
    ['recorded scenarios', rollout],
    ['approval, canary', rollout],
    ['nobody drives', rollout],
  ] as const;

  test.each(callers)('%s: knows the machine by its ARN', (description, template) => {
    const { Variables } = functionOf(template, description).Environment;
    expect(JSON.stringify(Variables['HMS_STATE_MACHINE'])).toMatch(
      /:states:.*:stateMachine:hms-prod-rollout"/,
    );
  });
});

describe('the reconciler', () => {
  const deadLetters = { 'Fn::GetAtt': [Match.stringLikeRegexp('^DeadLetters'), 'Arn'] };

  test('runs every minute, and its failures are kept', () => {
    rollout.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ DeadLetterConfig: { Arn: deadLetters } })],
    });
    rollout.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
      MaximumRetryAttempts: 0,
    });
  });

  test('tells of runs that it closes by the very words of its log', () => {
    const message = 'run lost its process';
    rollout.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern: `{ $.msg = "${message}" }`,
      MetricTransformations: [
        Match.objectLike({ MetricName: 'hms_runs_lost', MetricNamespace: 'hms-prod' }),
      ],
    });
    const source = readFileSync(join(root, 'src/core/rollouts/reconcile-runs.ts'), 'utf8');
    expect(source).toContain(`log.error('${message}'`);
  });
});

describe('partners', () => {
  const telling = ['tells partners', 'nobody drives'] as const;

  test.each(telling)('%s: reads the secrets of this stage', (description) => {
    const { Variables } = functionOf(rollout, description).Environment;
    expect(Variables).toMatchObject({ HMS_SECRETS_PREFIX: 'hms/prod' });
    expect(JSON.stringify(Variables['HMS_SECRETS_KEY'])).toContain('Key');
  });

  test.each(telling)('%s: no mail and no private network unless the stage says so', (which) => {
    const { Variables } = functionOf(rollout, which).Environment;
    expect(Variables).not.toHaveProperty('HMS_MAIL_FROM');
    expect(Variables).not.toHaveProperty('HMS_ALLOW_TARGETS');
    const mailing = synthStage('prod', { mailFrom: 'rules@agency.example' }).templates.rollout;
    expect(functionOf(mailing, which).Environment.Variables).toMatchObject({
      HMS_MAIL_FROM: 'rules@agency.example',
    });
    const emulated = synthStage('emulator').templates.rollout;
    expect(functionOf(emulated, which).Environment.Variables).toMatchObject({
      HMS_ALLOW_TARGETS: '127.0.0.0/8',
    });
  });

  test('mail is sent as the one address, by its identity or that of its domain', () => {
    const { rollout: mailing } = synthStage('prod', { mailFrom: 'rules@agency.example' }).templates;
    const sending = statements(mailing).filter(({ Action }) => Action === 'ses:SendEmail');
    expect(sending).toHaveLength(2);
    for (const { Resource, Condition } of sending) {
      const identities = [...JSON.stringify(Resource).matchAll(/:identity\/([^"]+)"/g)];
      expect(new Set(identities.map(([, name]) => name))).toEqual(
        new Set(['agency.example', 'rules@agency.example']),
      );
      expect(Resource).toHaveLength(2);
      expect(Condition).toEqual({ StringEquals: { 'ses:FromAddress': 'rules@agency.example' } });
    }
  });

  test('who puts secrets cannot read them, and who reads them cannot put them', () => {
    const all = [api, rollout].flatMap((template) => policies(template));
    for (const actions of all) {
      const puts = actions.some((action) => action.startsWith('secretsmanager:Put'));
      expect(puts && actions.includes('secretsmanager:GetSecretValue')).toBe(false);
    }
    expect(all.flat()).toContain('secretsmanager:PutSecretValue');
    expect(all.flat()).toContain('secretsmanager:GetSecretValue');
  });
});

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function statements(template: typeof rollout): Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement,
  );
}

function policies(template: typeof rollout): string[][] {
  return Object.values(template.findResources('AWS::IAM::Policy')).map(({ Properties }) =>
    Properties.PolicyDocument.Statement.flatMap(({ Action }: Statement) => [Action].flat()),
  );
}
