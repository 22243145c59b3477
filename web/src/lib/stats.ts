// What is usual among numbers.

/** The value that the share `part` (0 to 1) of the numbers lies at or below, between two of them if need be. */
export function quantile(values: readonly number[], part: number): number | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? 0;
  const above = sorted[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}

export interface Summary {
  median: number | null;
  p95: number | null;
}

export function summarize(values: readonly (number | null)[]): Summary {
  const known = values.filter((value) => value !== null);
  return { median: quantile(known, 0.5), p95: quantile(known, 0.95) };
}
