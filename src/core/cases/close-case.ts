import type { JobTransaction } from '../jobs/job-transaction.ts';
import { cellKeyOf } from './case-cells.ts';
import { caseKey } from './case-keys.ts';
import type { CaseClosing, CaseRecord } from './case-record.ts';

/**
 * Closes a case: it stays readable, and its place is free for a new one. Errors: a plain one when
 * it is not open, so look before.
 */
export async function closeCase(
  tx: JobTransaction,
  tenant: string,
  id: string,
  closing: CaseClosing,
): Promise<void> {
  const key = caseKey(tenant, id);
  const record = await tx.get(key);
  if (record === undefined || record.closed !== null) throw new Error(`${id} is not open.`);
  const cellKey = cellKeyOf(tenant, record.location);
  const cell = await tx.get(cellKey);
  const closed: CaseRecord = { ...record, closed: closing };
  // Never deleted: a cell that began at its first `rev` again could pass for one read before.
  await tx.put(cellKey, { open: (cell?.open ?? []).filter((each) => each.id !== id) });
  await tx.put(key, closed);
}
