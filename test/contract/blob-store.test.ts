import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDiskBlobs } from '../../src/adapters/local/disk-blobs.ts';
import { countingBlobs } from '../support/counting-blobs.ts';
import { faultyBlobs } from '../support/faulty-blobs.ts';
import { memoryBlobs } from '../support/memory-blobs.ts';
import { describeBlobStore } from './blob-store.suite.ts';

describeBlobStore(
  'diskBlobs',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'hms-blobs-'));
    return {
      blobs: await openDiskBlobs({ root }),
      close: () => rm(root, { recursive: true }),
    };
  },
  { propertyRuns: 20 },
);

describeBlobStore('memoryBlobs', async () => ({ blobs: memoryBlobs() }), { propertyRuns: 50 });

describeBlobStore('faultyBlobs without faults', async () => ({
  blobs: faultyBlobs(memoryBlobs(), {}),
}));

describeBlobStore('countingBlobs', async () => ({ blobs: countingBlobs(memoryBlobs()).port }));
