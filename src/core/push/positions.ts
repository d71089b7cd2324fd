import type { Deps } from '../deps.ts';
import { headKey } from '../journal/journal-keys.ts';
import { getRecords } from '../records.ts';

/** A reader's place in one journal, or in several: the index of the last entry that it has had. */
export type Positions = readonly number[];

const shape = /^(?:-1|\d{1,12})(?:\.(?:-1|\d{1,12})){0,15}$/;

/** How positions are written: as the `id` of a message. */
export function positionText(positions: Positions): string {
  return positions.join('.');
}

/** The positions that a text names in so many journals; `-1` alone: the beginning of all. Null: it is none. */
export function parsePositions(text: string, journals: number): Positions | null {
  if (!shape.test(text)) return null;
  if (text === '-1') return Array.from({ length: journals }, () => -1);
  const positions = text.split('.').map(Number);
  return positions.length === journals ? positions : null;
}

/** How many entries each of these journals has: up to 100 of them, in one call. */
export async function journalLengths(
  deps: Pick<Deps, 'records'>,
  journals: readonly string[],
): Promise<number[]> {
  const heads = await getRecords(deps, journals.map(headKey));
  return heads.map((head) => head?.value.nextIndex ?? 0);
}
