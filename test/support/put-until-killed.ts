import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openDiskBlobs } from '../../src/adapters/local/disk-blobs.ts';

/** A process that puts blobs as fast as it can, four at a time. It prints the digest of each that is stored. */
const [root = ''] = process.argv.slice(2);
const blobs = await openDiskBlobs({ root });

async function putForEver(): Promise<void> {
  for (;;) {
    const bytes = randomBytes(200_000);
    const digest = createHash('sha256').update(bytes).digest('hex');
    await blobs.put({ tenant: 'demo', digest }, bytes);
    writeSync(1, `${digest}\n`);
  }
}

await Promise.all([putForEver(), putForEver(), putForEver(), putForEver()]);
