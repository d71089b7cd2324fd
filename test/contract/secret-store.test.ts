import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSecrets } from '../../src/adapters/local/file-secrets.ts';
import { memorySecrets } from '../support/memory-secrets.ts';
import { describeSecretStore } from './secret-store.suite.ts';

describeSecretStore(
  'fileSecrets',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'hms-secrets-'));
    return {
      secrets: fileSecrets({ dataDir }),
      close: () => rm(dataDir, { recursive: true }),
    };
  },
  { propertyRuns: 10 },
);

describeSecretStore('memorySecrets', async () => ({ secrets: memorySecrets() }), {
  propertyRuns: 50,
});
