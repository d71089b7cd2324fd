import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { roleScopes, scopes } from '../../src/core/identity/scopes.ts';
import { synthStage } from './synth-stage.ts';

const { data, identity } = synthStage('prod').templates;
const ourKey = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] };

describe('the table', () => {
  test('can be restored to any second, and not be deleted by mistake', () => {
    data.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: {
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
    });
  });

  test('is encrypted under our key, which rotates', () => {
    data.hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: ourKey },
    });
    data.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('has the keys, the TTL and the stream that the adapters count on', () => {
    data.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      StreamSpecification: { StreamViewType: 'KEYS_ONLY' },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });
});

describe('the buckets', () => {
  const buckets = Object.entries(data.findResources('AWS::S3::Bucket'));

  test.each(buckets)('%s is closed to the public', (_id, bucket) => {
    expect(bucket['Properties']).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  test.each(buckets)('%s refuses all but TLS', (id) => {
    data.hasResourceProperties('AWS::S3::BucketPolicy', {
      Bucket: { Ref: id },
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('blobs are versioned, under our key, and each access is logged', () => {
    data.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: ourKey },
          },
        ],
      },
      LoggingConfiguration: {
        DestinationBucketName: { Ref: Match.stringLikeRegexp('AccessLogs') },
      },
    });
  });

  test('no blob ever expires: a court may ask for it', () => {
    const blobs = buckets.find(([id]) => !id.includes('AccessLogs'))?.[1];
    expect(blobs?.['Properties'].LifecycleConfiguration.Rules).toEqual([
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' },
    ]);
  });
});

describe('identity', () => {
  test('users are made by an administrator, with strong passwords and a second factor', () => {
    identity.hasResourceProperties('AWS::Cognito::UserPool', {
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      UserPoolTier: 'PLUS',
      UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
      DeletionProtection: 'ACTIVE',
      Policies: { PasswordPolicy: Match.objectLike({ MinimumLength: 14, RequireSymbols: true }) },
    });
  });

  test('the tenant of a user never changes', () => {
    identity.hasResourceProperties('AWS::Cognito::UserPool', {
      Schema: [Match.objectLike({ Name: 'tenant', Mutable: false })],
    });
  });

  test('a trigger that also sees clients puts the tenant into tokens', () => {
    identity.hasResourceProperties('AWS::Cognito::UserPool', {
      LambdaConfig: { PreTokenGenerationConfig: Match.objectLike({ LambdaVersion: 'V3_0' }) },
    });
  });

  test('the scopes are those that our code asks for', () => {
    identity.hasResourceProperties('AWS::Cognito::UserPoolResourceServer', {
      Identifier: 'hms',
      Scopes: Object.entries(scopes).map(([ScopeName, ScopeDescription]) => ({
        ScopeName,
        ScopeDescription,
      })),
    });
  });

  test('each role is a group', () => {
    const groups = Object.values(identity.findResources('AWS::Cognito::UserPoolGroup'));
    const names = groups.map((group) => group['Properties'].GroupName as string);
    expect(names.sort()).toEqual(Object.keys(roleScopes).sort());
  });

  test('a client takes tokens with its secret alone, and with the scopes of its role', () => {
    const clients = Object.values(identity.findResources('AWS::Cognito::UserPoolClient')).map(
      (client) => client['Properties'],
    );
    expect(clients.length).toBeGreaterThan(0);
    for (const client of clients) {
      expect(client).toMatchObject({
        GenerateSecret: true,
        AllowedOAuthFlows: ['client_credentials'],
        ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
      });
    }
    const service = clients.find(({ ClientName }) => ClientName === 'demo-service');
    const granted = JSON.stringify(service?.['AllowedOAuthScopes']);
    for (const scope of Object.keys(scopes)) {
      const isOfRole = (roleScopes.service as readonly string[]).includes(scope);
      expect(granted.includes(`"/${scope}"`), scope).toBe(isOfRole);
    }
  });
});
