import type { KeyOf } from '../records.ts';
import type { CaseCell } from './case-cells.ts';
import type { CaseRecord } from './case-record.ts';

/** A partition for each: cases are written at the rate of jobs. */
export function caseKey(tenant: string, id: string): KeyOf<CaseRecord> {
  return { partition: `${tenant}#case#${id}`, sort: 'case' };
}

/** The open cases in a geohash cell. */
export function caseCellKey(tenant: string, cell: string): KeyOf<CaseCell> {
  return { partition: `${tenant}#case-cell#${cell}`, sort: 'open' };
}
