/** Of values in ascending order: the nearest rank. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values.toSorted(ascending), 0.5);
}

/** Median, and in brackets least and greatest: `0.83 (0.80–0.86)`. */
export function spread(values: readonly number[], digits = 2): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map(
    (value) => value.toFixed(digits),
  );
  return `${middle} (${least}–${most})`;
}

export function ascending(a: number, b: number): number {
  return a - b;
}
