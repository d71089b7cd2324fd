import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import type { GeoPlace } from '../geo/geo-place.ts';
import { getRecord, getRecords, type KeyOf } from '../records.ts';
import { type NearCase, openCasesAround } from './case-cells.ts';
import { caseKey } from './case-keys.ts';
import { caseIdPattern, type CaseRecord } from './case-record.ts';

/** A case, open or closed. Errors: `NotFound`. */
export async function readCase(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
): Promise<CaseRecord> {
  const found = caseIdPattern.test(id) ? await getRecord(deps, caseKey(tenant, id)) : undefined;
  if (found === undefined) throw new NotFound('There is no such case.');
  return found.value;
}

/** The open cases within so many metres of a place, the nearest first. */
export interface CasesNear {
  readonly items: readonly NearCase[];
  /** Whether there are more, farther away but within the radius. */
  readonly more: boolean;
}

/**
 * The open cases around a place: `radiusM` is at most 1000, the latitude at most 85 either way.
 * One read of many records for 250 m, up to five for 1000 m at 60 degrees; they are no snapshot.
 */
export async function casesNear(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  place: GeoPlace,
  radiusM: number,
  limit: number,
): Promise<CasesNear> {
  const getMany = async <V>(keys: readonly KeyOf<V>[]): Promise<(V | undefined)[]> => {
    const found = await getRecords(deps, keys);
    return found.map((record) => record?.value);
  };
  const near = await openCasesAround({ getMany }, tenant, place, radiusM);
  return { items: near.slice(0, limit), more: near.length > limit };
}
