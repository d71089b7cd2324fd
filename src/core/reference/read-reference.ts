import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import { getRecord } from '../records.ts';
import { referenceKey } from './reference-keys.ts';
import { referenceNamePattern, type ReferenceRecord } from './reference-record.ts';

/** What is stored under a name now. Errors: `NotFound`. */
export async function readReference(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  name: string,
): Promise<ReferenceRecord> {
  const found = referenceNamePattern.test(name)
    ? await getRecord(deps, referenceKey(tenant, name))
    : undefined;
  if (found === undefined) throw new NotFound('There is no reference data of this name.');
  return found.value;
}

/** The exact bytes. What a record names stays, also when it has been replaced since. */
export async function bytesOfReference(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  { name, digest }: Pick<ReferenceRecord, 'name' | 'digest'>,
): Promise<Uint8Array> {
  const bytes = await deps.blobs.get({ tenant, digest });
  if (bytes === undefined)
    throw new Error(`The bytes ${digest} of the reference ${name} are gone.`);
  return bytes;
}
