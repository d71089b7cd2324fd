import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll } from 'vitest';

import { secretsManagerSecrets } from '../../src/adapters/aws/secrets-manager-secrets.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { describeSecretStore } from './secret-store.suite.ts';

const client = new SecretsManagerClient({});
afterAll(() => client.destroy());
const prefix = `test-${crypto.randomUUID()}`;

describeSecretStore('secretsManagerSecrets', async () => ({
  secrets: secretsManagerSecrets({ client, prefix, clock: systemClock }),
}));
