import type { GeoPlace } from '../geo/geo-place.ts';
import type { JobTransaction } from '../jobs/job-transaction.ts';
import { cellKeyOf, type NearCase, openCasesAround, type OpenCase } from './case-cells.ts';
import { caseKey } from './case-keys.ts';
import { type CaseKind, type CaseRecord, kindRules } from './case-record.ts';

/** The open case that a report from this place is of, or null: then the place is free. */
export async function duplicateOf(
  tx: JobTransaction,
  tenant: string,
  kind: CaseKind,
  location: GeoPlace,
): Promise<NearCase | null> {
  const { duplicateM } = kindRules[kind];
  const near = await openCasesAround(tx, tenant, location, duplicateM);
  return near.find((open) => open.kind === kind) ?? null;
}

/**
 * Writes a new case, and puts it among the open ones of its cell. Of two transactions that open
 * cases of a kind too near to each other, one commits: each has read the cell that the other
 * writes. Errors: a plain one when the place is not free, so ask `duplicateOf` before.
 */
export async function openCase(
  tx: JobTransaction,
  tenant: string,
  record: CaseRecord,
): Promise<void> {
  const { id, kind, location, urgency, openedAt } = record;
  const duplicate = await duplicateOf(tx, tenant, kind, location);
  if (duplicate !== null) throw new Error(`${id} would be a duplicate of ${duplicate.id}.`);
  const key = cellKeyOf(tenant, location);
  const cell = await tx.get(key);
  const entry: OpenCase = { id, kind, location, urgency, openedAt };
  await tx.put(key, { open: [...(cell?.open ?? []), entry] });
  await tx.put(caseKey(tenant, id), record);
}
