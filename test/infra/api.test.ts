import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { gatewayMethods } from '../../lib/constructs/policy-api.ts';
import type { Part } from '../../src/contract/operation.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { gatewayOperations } from '../../src/contract/operations/gateway-operations.ts';
import { problems } from '../../src/contract/problems.ts';
import { apiRoutes } from './api-routes.ts';
import { synthStage } from './synth-stage.ts';

const { api } = synthStage('prod').templates;
const routes = apiRoutes(api);

const handlers: Readonly<Record<Part, string>> = {
  rules: 'GetPolicy',
  queries: 'QueryPolicies',
  changes: 'ChangePolicies',
  rollouts: 'ManageRollouts',
  reports: 'TakeReports',
  jobs: 'ManageJobs',
  claims: 'FileClaims',
  services: 'ManageServices',
  gateway: 'CallService',
  stream: 'StreamPolicies',
  graph: 'QueryGraph',
  open: 'ServeDocs',
};

/** What is relayed takes every method, and all below its path. */
function routesOf({ method, path, relayed }: Operation): string[] {
  if (relayed === undefined) return [`${method.toUpperCase()} ${path}`];
  const above = path.replace(/\/\{\w+\}$/, '');
  return [`ANY ${above}`, `ANY ${above}/{path+}`];
}

describe('the gateway and the contract have the same routes', () => {
  test('each operation has its method, and there is no other', () => {
    const wanted = new Set(allOperations.flatMap(routesOf));
    expect([...routes.keys()].sort()).toEqual([...wanted].sort());
  });

  test.each(Object.values(gatewayOperations))('$id: with every method and path', (operation) => {
    const made = gatewayMethods(operation).map(({ method, path }) => `${method} ${path}`);
    expect(made).toEqual(['ANY /svc/{name}', 'ANY /svc/{name}/{path+}']);
  });

  const operationRoutes = allOperations.flatMap((operation) =>
    routesOf(operation).map((name) => ({ name, operation })),
  );

  test.each(operationRoutes)(
    '$operation.id, $name: its scope or admin, and the function of its part',
    ({ name, operation: { scope, part } }) => {
      const route = routes.get(name);
      expect(JSON.stringify(route?.Integration['Uri'])).toContain(`"${handlers[part]}Function`);
      if (scope === null) {
        expect(route).toMatchObject({ AuthorizationType: 'NONE' });
        expect(route).not.toHaveProperty('AuthorizerId');
        return;
      }
      expect(route).toMatchObject({ AuthorizationType: 'COGNITO_USER_POOLS' });
      expect(route).toHaveProperty('AuthorizerId.Ref');
      const enough = new Set([`hms/${scope}`, 'hms/admin']);
      expect(route?.AuthorizationScopes).toEqual([...enough]);
    },
  );

  test('only health and documentation are open', () => {
    const open = [...routes].filter(([, { AuthorizationType }]) => AuthorizationType === 'NONE');
    expect(open.map(([route]) => route).sort()).toEqual([
      'GET /docs',
      'GET /docs/{asset}',
      'GET /healthz',
      'GET /openapi.json',
    ]);
  });
});

describe('the API', () => {
  test('is regional: an edge endpoint ends a stream after 30 idle seconds', () => {
    api.hasResourceProperties('AWS::ApiGateway::RestApi', {
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
  });

  test('hands every body on as bytes', () => {
    api.hasResourceProperties('AWS::ApiGateway::RestApi', { BinaryMediaTypes: ['*/*'] });
  });

  test('streams what is a stream, for 15 minutes; so are services; claims, for their files; nothing else', () => {
    const streamed = [...routes].filter(([, { Integration }]) =>
      Object.hasOwn(Integration, 'ResponseTransferMode'),
    );
    const ofClaims = streamed.filter(([route]) => / \/claims\b/.test(route));
    const relayed = allOperations.filter(({ part }) => part === 'gateway').flatMap(routesOf);
    expect(ofClaims.map(([route]) => route)).toContain('GET /claims/{claim}/file');
    for (const [, { Integration }] of ofClaims) {
      expect(Integration).toMatchObject({ TimeoutInMillis: 29_000 });
    }
    const streaming = streamed.filter((one) => !ofClaims.includes(one));
    const streams = allOperations.filter(({ part }) => part === 'stream').flatMap(routesOf);
    expect(streams).toContain('GET /api/stream/policies');
    expect(streaming.map(([route]) => route).sort()).toEqual(
      [...new Set([...streams, ...relayed])].sort(),
    );
    for (const [, { Integration }] of streaming) {
      expect(Integration).toMatchObject({
        ResponseTransferMode: 'STREAM',
        TimeoutInMillis: 15 * 60 * 1000,
      });
      expect(JSON.stringify(Integration['Uri'])).toContain('/response-streaming-invocations');
    }
  });

  test('traces, measures and throttles, and logs no bodies', () => {
    api.hasResourceProperties('AWS::ApiGateway::Stage', {
      TracingEnabled: true,
      MethodSettings: [
        {
          HttpMethod: '*',
          ResourcePath: '/*',
          LoggingLevel: 'ERROR',
          DataTraceEnabled: false,
          MetricsEnabled: true,
          ThrottlingRateLimit: 5000,
          ThrottlingBurstLimit: 5000,
        },
      ],
    });
  });

  test('writes its access log as JSON, without queries, headers or bodies', () => {
    const [stage] = Object.values(api.findResources('AWS::ApiGateway::Stage'));
    const format = String(stage?.['Properties'].AccessLogSetting.Format);
    expect(JSON.parse(format)).toMatchObject({
      requestId: '$context.requestId',
      status: '$context.status',
      tenant: '$context.authorizer.claims.tenant',
    });
    expect(format).not.toMatch(/header|querystring|body/i);
  });
});

describe('what the gateway refuses reads like our own problems', () => {
  const responses = Object.values(api.findResources('AWS::ApiGateway::GatewayResponse')).map(
    (response) => response['Properties'],
  );

  test.each(responses)('$ResponseType', ({ StatusCode, ResponseParameters, ResponseTemplates }) => {
    expect(ResponseParameters).toMatchObject({
      'gatewayresponse.header.Content-Type': "'application/problem+json'",
    });
    const body = JSON.parse(ResponseTemplates['application/json']);
    expect(Object.keys(problems)).toContain(body.code);
    const { status, title } = problems[body.code as keyof typeof problems];
    expect(body).toEqual({
      type: `urn:hms:problem:${body.code}`,
      title,
      status,
      code: body.code,
      detail: expect.stringMatching(/./),
      requestId: '$context.requestId',
    });
    expect(StatusCode).toBe(String(status));
  });

  test('covers missing tokens and scopes, unknown routes, size, speed and failures', () => {
    const codes = Object.fromEntries(
      responses.map(({ ResponseType, StatusCode }) => [ResponseType, StatusCode]),
    );
    expect(codes).toMatchObject({
      UNAUTHORIZED: '401',
      ACCESS_DENIED: '403',
      MISSING_AUTHENTICATION_TOKEN: '404',
      REQUEST_TOO_LARGE: '413',
      THROTTLED: '429',
      INTEGRATION_TIMEOUT: '503',
      DEFAULT_4XX: '400',
      DEFAULT_5XX: '500',
    });
  });
});

describe('the firewall', () => {
  test('stands before the stage', () => {
    api.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      ResourceArn: Match.objectLike({ 'Fn::Join': Match.anyValue() }),
      WebACLArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^FirewallAcl'), 'Arn'] },
    });
  });

  test('stops floods from one address, and lets packages of 5 MiB pass', () => {
    api.hasResourceProperties('AWS::WAFv2::WebACL', {
      Scope: 'REGIONAL',
      Rules: Match.arrayWith([
        Match.objectLike({ Name: 'Flood', Action: { Block: {} } }),
        Match.objectLike({
          Name: 'AWSManagedRulesCommonRuleSet',
          Statement: {
            ManagedRuleGroupStatement: Match.objectLike({
              RuleActionOverrides: Match.arrayWith([
                { Name: 'SizeRestrictions_BODY', ActionToUse: { Count: {} } },
              ]),
            }),
          },
        }),
      ]),
    });
  });

  test('logs what it stops, without tokens', () => {
    api.hasResourceProperties('AWS::WAFv2::LoggingConfiguration', {
      RedactedFields: [{ SingleHeader: { Name: 'authorization' } }],
    });
  });
});
