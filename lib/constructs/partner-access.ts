import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import type { Store } from './store-access.ts';

/** What the names of this stage's secrets begin with. */
function secretsPrefix({ stage }: StageConfig): string {
  return `hms/${stage}`;
}

/** What the code of `src/compose/aws-secrets.ts` is told. */
export function secretsEnvironment(config: StageConfig, { key }: Store): Record<string, string> {
  return { HMS_SECRETS_PREFIX: secretsPrefix(config), HMS_SECRETS_KEY: key.keyArn };
}

/** What the code of `src/compose/aws-partners.ts` is told. */
export function partnersEnvironment(config: StageConfig): Record<string, string> {
  const { mailFrom } = config;
  return {
    ...(mailFrom === null ? {} : { HMS_MAIL_FROM: mailFrom }),
    ...targetsEnvironment(config),
  };
}

/** What the code of `src/compose/aws-networks.ts` is told: where a function may connect to, besides. */
export function targetsEnvironment({ allowedTargets }: StageConfig): Record<string, string> {
  return allowedTargets.length === 0 ? {} : { HMS_ALLOW_TARGETS: allowedTargets.join(',') };
}

/** Whose secrets: each has them below its name, as `hms/dev/<tenant>/partner/<name>`. */
type SecretOwner = 'partner' | 'service';

function secretNames(config: StageConfig, whose: SecretOwner): string {
  return `${secretsPrefix(config)}/*/${whose}/*`;
}

const secretActions = {
  read: { secrets: ['GetSecretValue'], key: ['kms:Decrypt'] },
  write: {
    secrets: ['CreateSecret', 'PutSecretValue', 'DeleteSecret'],
    key: ['kms:Decrypt', 'kms:GenerateDataKey'],
  },
};

/**
 * Rights on the secrets of partners or services of this stage: to read them, or to put and delete
 * them (`write`); who puts them cannot read them.
 * Secrets Manager uses our key in the name of who calls it.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
export function secretAccess(
  config: StageConfig,
  { key }: Store,
  whose: SecretOwner,
  need: keyof typeof secretActions,
): PolicyStatement[] {
  const { region, urlSuffix } = Stack.of(key);
  const { secrets, key: keyUse } = secretActions[need];
  return [
    new PolicyStatement({
      actions: secrets.map((action) => `secretsmanager:${action}`),
      resources: [
        Stack.of(key).formatArn({
          service: 'secretsmanager',
          resource: 'secret',
          resourceName: secretNames(config, whose),
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
    }),
    new PolicyStatement({
      actions: keyUse,
      resources: [key.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` },
      },
    }),
  ];
}

/** For a function with rights on secrets. */
export function acknowledgeAllSecrets(
  worker: Construct,
  config: StageConfig,
  whose: SecretOwner,
): void {
  const secrets = `secret:${secretNames(config, whose)}`;
  Validations.of(worker).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:${secrets}]`,
    reason:
      'The secrets of all partners, or of all services, of one stage: nobody knows beforehand which ' +
      'tenants there are and what they will call them.',
  });
}

/** The right to send mail as the stage's address; none without one. */
export function mailAccess(scope: Construct, { mailFrom }: StageConfig): PolicyStatement[] {
  if (mailFrom === null) return [];
  const domain = mailFrom.slice(mailFrom.lastIndexOf('@') + 1);
  return [
    new PolicyStatement({
      actions: ['ses:SendEmail'],
      // SES asks for the address if that is what was verified, else for its domain.
      resources: [mailFrom, domain].map((resourceName) =>
        Stack.of(scope).formatArn({ service: 'ses', resource: 'identity', resourceName }),
      ),
      conditions: { StringEquals: { 'ses:FromAddress': mailFrom } },
    }),
  ];
}
