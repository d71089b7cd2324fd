import { expect, test } from 'vitest';

import { grantedActions } from './granted-actions.ts';
import { grantedPartitions } from './granted-partitions.ts';
import { synthStage } from './synth-stage.ts';

const mailFrom = 'rules@agency.example';
const { api, events, identity, jobs, push, rollout, services } = synthStage('prod', {
  mailFrom,
}).templates;

const read = ['dynamodb:GetItem', 'dynamodb:Query'];
const readMany = ['dynamodb:BatchGetItem', ...read];
const write = ['dynamodb:DeleteItem', 'dynamodb:PutItem'];

const check = 'dynamodb:ConditionCheckItem';
const byKey = ['dynamodb:BatchGetItem', 'dynamodb:GetItem'];
const changeRun = [...readMany, ...write];
const start = 'states:StartExecution';
const drive = ['states:SendTaskSuccess', start];
const writeSecrets = ['CreateSecret', 'PutSecretValue', 'DeleteSecret'].map(
  (action) => `secretsmanager:${action}`,
);
const send = 'sqs:SendMessage';
const connections = 'execute-api:ManageConnections';
const putOff = ['sqs:ChangeMessageVisibility', send];
const readSecrets = 'secretsmanager:GetSecretValue';
const tell = [readSecrets, 'ses:SendEmail'];

test.each([
  ['GetPolicy', api, [...read, 's3:GetObject']],
  ['QueryPolicies', api, [...read, 's3:GetObject']],
  ['ChangePolicies', api, [...changeRun, check, 's3:PutObject', start]],
  [
    'ManageRollouts',
    api,
    [...changeRun, check, 's3:GetObject', 's3:PutObject', ...drive, ...writeSecrets],
  ],
  ['TakeReports', api, [...readMany, 'dynamodb:PutItem']],
  ['ManageJobs', api, [...changeRun, 's3:GetObject', 's3:PutObject', send]],
  ['FileClaims', api, [...readMany, 'dynamodb:PutItem', 's3:GetObject', 's3:PutObject']],
  ['ManageServices', api, [...changeRun, ...writeSecrets]],
  ['CallService', api, [...changeRun, readSecrets]],
  ['StreamPolicies', api, read],
  ['QueryGraph', api, [...readMany, 's3:GetObject']],
  ['ServeDocs', api, []],
  ['Relay', events, [...read, ...write, check, 'events:PutEvents', send]],
  ['Sweep', events, [...readMany, ...write, check, 'events:PutEvents', send]],
  ['LintPolicies', rollout, [...byKey, ...write, 's3:GetObject', start]],
  ['ReplayScenarios', rollout, [...changeRun, 's3:GetObject', 's3:PutObject', start]],
  ['AdvanceRun', rollout, [...changeRun, ...drive]],
  ['NotifyPartners', rollout, [...changeRun, ...tell]],
  ['Reconcile', rollout, [...changeRun, ...drive, 'states:DescribeExecution', ...tell]],
  ['WorkPotholeReport', jobs, [...byKey, ...write, check, 's3:GetObject', ...putOff]],
  ['WorkEventDeliver', jobs, [...byKey, ...write, 's3:GetObject', ...putOff, readSecrets]],
  ['WorkCaseClose', jobs, [...byKey, ...write, 's3:GetObject', ...putOff]],
  ['ReconcileJobs', jobs, ['dynamodb:BatchGetItem', 'dynamodb:Query', send]],
  ['ProbeServices', services, [...readMany, 'dynamodb:PutItem']],
  ['Claims', identity, []],
  ['AnswerFrames', push, [...byKey, ...write, send, connections]],
  ['PushChanges', push, [...changeRun, send, connections]],
] as const)('%s may call exactly this', (id, template, actions) => {
  expect(grantedActions(template, `${id}Function`)).toEqual([...actions].sort());
});

const inJournal = ['*#journal', '*#state'];

test.each([
  ['GetPolicy', api, ['*#policy#*'], []],
  [
    'CallService',
    api,
    ['*#services', '*#service-health', '*#circuits#*', '*#limits'],
    ['*#circuits#*', '*#limits'],
  ],
  [
    'ProbeServices',
    services,
    ['#probes', '*#services', '*#service-health', ...inJournal],
    ['*#service-health', ...inJournal],
  ],
  ['ReconcileJobs', jobs, ['#tenants', '*#state', '*#open-jobs#*', '*#jobs-*#records'], []],
  [
    'WorkEventDeliver',
    jobs,
    ['*#policy#*', '*#services', '*#service-health', ...inJournal, '*#jobs-*#records'],
    [...inJournal, '*#jobs-*#records', '*#open-jobs#*', '*#dead-jobs'],
  ],
] as const)('%s may touch these records, and no others', (id, template, toRead, toWrite) => {
  const granted = grantedPartitions(template, `${id}Function`);
  expect(granted).toEqual({ read: toRead, write: toWrite });
});

test('a function that is not there is no function without rights', () => {
  expect(() => grantedActions(api, 'NoSuchFunction')).toThrow('no one function');
});
