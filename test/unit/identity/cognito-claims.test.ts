import type { PreTokenGenerationV3TriggerEvent } from 'aws-lambda';
import { expect, test } from 'vitest';

import { cognitoClaims } from '../../../src/core/identity/cognito-claims.ts';
import type { PreTokenEvent } from '../../../src/core/identity/cognito-claims.ts';
import { roleScopes, type Scope } from '../../../src/core/identity/scopes.ts';

const tenants = new Map([['client-1', 'demo']]);

function clientEvent(clientId: string): PreTokenGenerationV3TriggerEvent {
  return {
    version: '3',
    triggerSource: 'TokenGeneration_ClientCredentials',
    region: 'us-east-1',
    userPoolId: 'us-east-1_AAAAAAAAA',
    userName: 'ClientCredentials',
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
    request: { userAttributes: {}, groupConfiguration: {}, scopes: ['hms/read:policy'] },
    response: { claimsAndScopeOverrideDetails: {} },
  };
}

function userEvent(request: PreTokenEvent['request']): PreTokenEvent {
  return {
    triggerSource: 'TokenGeneration_HostedAuth',
    callerContext: { clientId: 'client-1' },
    request,
  };
}

function accessTokenOf(event: PreTokenEvent) {
  return cognitoClaims(event, tenants).claimsAndScopeOverrideDetails.accessTokenGeneration;
}

test('a client gets the tenant it is registered for, and keeps its scopes', () => {
  const event = clientEvent('client-1');
  // Assigned as the Lambda does it: the types of aws-lambda accept it.
  event.response = cognitoClaims(event, tenants);
  expect(event.response.claimsAndScopeOverrideDetails).toEqual({
    accessTokenGeneration: {
      claimsToAddOrOverride: { tenant: 'demo' },
      scopesToAdd: [],
      scopesToSuppress: [],
    },
  });
});

test.each(['client-2', 'constructor', ''])('the unknown client %j gets no tenant', (clientId) => {
  expect(accessTokenOf(clientEvent(clientId)).claimsToAddOrOverride).toEqual({});
});

test('a user gets its own tenant, not that of the client it signs in with', () => {
  const request = { userAttributes: { sub: 'u', 'custom:tenant': 'epa' } };
  expect(accessTokenOf(userEvent(request)).claimsToAddOrOverride).toEqual({ tenant: 'epa' });
  const without = { userAttributes: { sub: 'u' } };
  expect(accessTokenOf(userEvent(without)).claimsToAddOrOverride).toEqual({});
});

test('a user gets the scopes of its groups, and loses those that no group grants', () => {
  const access = accessTokenOf(
    userEvent({
      userAttributes: { 'custom:tenant': 'demo' },
      groupConfiguration: { groupsToOverride: ['editor', 'approver', 'gardeners'] },
      scopes: ['openid', 'hms/read:policy', 'hms/admin', 'other/admin'],
    }),
  );
  const granted = new Set<Scope>([...roleScopes.editor, ...roleScopes.approver]);
  granted.delete('read:policy');
  expect(access.scopesToAdd).toEqual([...granted].map((scope) => `hms/${scope}`));
  expect(access.scopesToSuppress).toEqual(['hms/admin']);
});

test('a user in no group of ours has no scope of ours', () => {
  for (const groupsToOverride of [['constructor', 'toString'], [], null]) {
    const access = accessTokenOf(
      userEvent({ groupConfiguration: { groupsToOverride }, scopes: ['hms/admin'] }),
    );
    expect(access.scopesToAdd).toEqual([]);
    expect(access.scopesToSuppress).toEqual(['hms/admin']);
  }
});

test('an event with nothing in it makes a token that our verifier refuses', () => {
  const request = { userAttributes: null, groupConfiguration: null, scopes: null };
  expect(accessTokenOf(userEvent(request))).toEqual({
    claimsToAddOrOverride: {},
    scopesToAdd: [],
    scopesToSuppress: [],
  });
});
