import type { Deps } from '../deps.ts';
import type { Json } from '../values/json.ts';
import type { JobRecord } from './job-record.ts';

/** The data of a job: from its record, or, when it is large, from the blob store. */
export async function readJobData(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  { data, dataRef }: Pick<JobRecord, 'data' | 'dataRef'>,
): Promise<Json> {
  if (dataRef === null) return data;
  const bytes = await deps.blobs.get({ tenant, digest: dataRef.digest });
  if (bytes === undefined) throw new Error(`The data ${dataRef.digest} is not in the blob store.`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}
