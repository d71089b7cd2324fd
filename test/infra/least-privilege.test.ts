import { expect, test } from 'vitest';

import { grantedActions } from './granted-actions.ts';
import { synthStage } from './synth-stage.ts';

const mailFrom = 'rules@agency.example';
const { api, events, identity, rollout } = synthStage('prod', { mailFrom }).templates;

const read = ['dynamodb:GetItem', 'dynamodb:Query'];
const readMany = ['dynamodb:BatchGetItem', ...read];
const write = ['dynamodb:DeleteItem', 'dynamodb:PutItem'];

const check = 'dynamodb:ConditionCheckItem';
const byKey = ['dynamodb:BatchGetItem', 'dynamodb:GetItem'];
const changeRun = [...readMany, ...write];
const start = 'states:StartExecution';
const drive = ['states:SendTaskSuccess', start];
const putSecrets = ['CreateSecret', 'DeleteSecret', 'PutSecretValue'].map(
  (action) => `secretsmanager:${action}`,
);
const tell = ['secretsmanager:GetSecretValue', 'ses:SendEmail'];

test.each([
  ['GetPolicy', api, [...read, 's3:GetObject']],
  ['QueryPolicies', api, [...read, 's3:GetObject']],
  ['ChangePolicies', api, [...changeRun, check, 's3:PutObject', start]],
  [
    'ManageRollouts',
    api,
    [...changeRun, check, 's3:GetObject', 's3:PutObject', ...drive, ...putSecrets],
  ],
  ['TakeReports', api, [...readMany, 'dynamodb:PutItem']],
  ['StreamPolicies', api, read],
  ['QueryGraph', api, [...readMany, 's3:GetObject']],
  ['ServeDocs', api, []],
  ['Relay', events, [...read, ...write, check, 'events:PutEvents']],
  ['Sweep', events, [...readMany, ...write, check, 'events:PutEvents']],
  ['LintPolicies', rollout, [...byKey, ...write, 's3:GetObject', start]],
  ['ReplayScenarios', rollout, [...changeRun, 's3:GetObject', 's3:PutObject', start]],
  ['AdvanceRun', rollout, [...changeRun, ...drive]],
  ['NotifyPartners', rollout, [...changeRun, ...tell]],
  ['Reconcile', rollout, [...changeRun, ...drive, 'states:DescribeExecution', ...tell]],
  ['Claims', identity, []],
] as const)('%s may call exactly this', (id, template, actions) => {
  expect(grantedActions(template, `${id}Function`)).toEqual([...actions].sort());
});

test('a function that is not there is no function without rights', () => {
  expect(() => grantedActions(api, 'NoSuchFunction')).toThrow('no one function');
});
