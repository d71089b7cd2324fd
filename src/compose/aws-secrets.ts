import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { secretsManagerSecrets } from '../adapters/aws/secrets-manager-secrets.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { SecretStore } from '../ports/secret-store.ts';
import { awsClient, setting } from './aws-config.ts';

export function awsSecrets(): SecretStore {
  return secretsManagerSecrets({
    client: new SecretsManagerClient(awsClient),
    prefix: setting('HMS_SECRETS_PREFIX'),
    kmsKeyId: setting('HMS_SECRETS_KEY'),
    clock: systemClock,
  });
}
