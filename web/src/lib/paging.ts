// Pages of long lists, where the server stops counting.

/** The server counts so far, and no further. */
export const COUNTED = 10_000;

/** How many rows there are as far as anybody knows: beyond what is counted, one more than is seen while pages are full. */
export function totalOf(
  told: number | null | undefined,
  page: { offset: number; limit: number; count: number },
): number {
  if (told != null && told < COUNTED) return told;
  const { offset, limit, count } = page;
  return Math.max(COUNTED + 1, offset + count + (count === limit ? 1 : 0));
}
