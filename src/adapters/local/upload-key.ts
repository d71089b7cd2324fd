import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { privateFile } from './private-file.ts';

const keyBytes = 32;

/**
 * The key that uploads are signed with: 32 random bytes in `<dataDir>/upload-key`, mode 0600, which
 * the first start makes. An upload that is open stays so over a restart.
 * Errors: a plain `Error` without the key, when the file is broken or others may read it.
 */
export async function loadUploadKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, 'upload-key');
  const text = await privateFile(path, async () => `${randomBytes(keyBytes).toString('hex')}\n`);
  if (/^[0-9a-f]{64}\n$/.test(text)) return Buffer.from(text.trimEnd(), 'hex');
  throw new Error(`${path} is damaged: delete it to have a new one made, which ends open uploads.`);
}
