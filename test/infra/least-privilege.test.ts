import { expect, test } from 'vitest';

import { grantedActions } from './granted-actions.ts';
import { synthStage } from './synth-stage.ts';

const { api, events, identity } = synthStage('prod').templates;

const read = ['dynamodb:GetItem', 'dynamodb:Query'];
const readMany = ['dynamodb:BatchGetItem', ...read];
const write = ['dynamodb:DeleteItem', 'dynamodb:PutItem'];

test.each([
  ['GetPolicy', api, [...read, 's3:GetObject']],
  ['QueryPolicies', api, [...read, 's3:GetObject']],
  ['ChangePolicies', api, [...readMany, ...write, 'dynamodb:ConditionCheckItem', 's3:PutObject']],
  ['StreamPolicies', api, read],
  ['QueryGraph', api, [...readMany, 's3:GetObject']],
  ['ServeDocs', api, []],
  ['Relay', events, [...read, 'dynamodb:PutItem', 'events:PutEvents']],
  ['Sweep', events, [...readMany, ...write, 'events:PutEvents']],
  ['Claims', identity, []],
] as const)('%s may call exactly this', (id, template, actions) => {
  expect(grantedActions(template, `${id}Function`)).toEqual([...actions].sort());
});

test('a function that is not there is no function without rights', () => {
  expect(() => grantedActions(api, 'NoSuchFunction')).toThrow('no one function');
});
