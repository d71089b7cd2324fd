import { degrees, earthRadiusM, radians } from './distance.ts';
import { cellName, columnOf, geohashGrid, rowOf } from './geohash.ts';
import type { GeoPlace } from './geo-place.ts';

/** More than rounding takes from any distance. */
const marginM = 0.001;

/**
 * The geohash cells that a circle may touch: every place within `radiusM` is in one of them. They
 * cover the box around the circle, also across the antimeridian and the poles. The nine cells
 * around a place would not do: near the poles a cell may be narrower than the radius.
 * Null when they are more than `maxCells`.
 */
export function cellsAround(
  { lat, lon }: GeoPlace,
  radiusM: number,
  precision: number,
  maxCells: number,
): string[] | null {
  const grid = geohashGrid(precision);
  const angle = (radiusM + marginM) / earthRadiusM;
  const [south, north] = [lat - degrees(angle), lat + degrees(angle)];
  const [firstRow, lastRow] = [rowOf(grid, Math.max(-90, south)), rowOf(grid, Math.min(90, north))];
  const holdsPole = south <= -90 || north >= 90;
  // The circle is widest a little poleward of its centre.
  const widest = Math.min(1, Math.sin(angle) / Math.cos(radians(lat)));
  const halfWidth = holdsPole ? 180 : degrees(Math.asin(widest));
  const firstColumn = columnOf(grid, lon - halfWidth);
  const columns = Math.min(grid.columns, columnOf(grid, lon + halfWidth) - firstColumn + 1);
  if (columns * (lastRow - firstRow + 1) > maxCells) return null;
  const cells: string[] = [];
  for (let row = firstRow; row <= lastRow; row += 1) {
    for (let step = 0; step < columns; step += 1) {
      const column = (firstColumn + step + grid.columns) % grid.columns;
      cells.push(cellName(column, row, precision));
    }
  }
  return cells;
}
