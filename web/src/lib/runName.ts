// Ids of runs where there is little room.

/** "scheduled__2026-11-21T21:31:00+00:00" → "scheduled__2026-11-21T21:31": without what says nothing. */
export function runName(runId: string): string {
  return runId.replace(/(T\d\d:\d\d)(:\d\d)?(?:\.\d+)?(?:\+00:00|Z)$/, (_, minute: string, second = "") =>
    second === ":00" ? minute : minute + second,
  );
}
