// How a state looks as a cell: by fill and mark as well as by colour.

import { STATES, type State } from "../../lib/state";

export interface Look {
  fill: "solid" | "hollow" | "dashed";
  /** A path in a box from -5 to 5 around the middle of the cell */
  mark: string | null;
  /** The mark is an area, not a line */
  isArea?: boolean;
}

const CROSS = "M-2.6-2.6 2.6 2.6M2.6-2.6-2.6 2.6";
const AGAIN = "M2.9-1.6A3.3 3.3 0 1 0 3.3.6M3.2-3.6v2.3H.9";

/** What has been done is full, what waits is hollow; success alone has no mark, so that the rest stands out. */
export const LOOKS: Record<State, Look> = {
  success: { fill: "solid", mark: null },
  failed: { fill: "solid", mark: CROSS },
  upstream_failed: { fill: "hollow", mark: CROSS },
  up_for_retry: { fill: "hollow", mark: AGAIN },
  restarting: { fill: "solid", mark: AGAIN },
  running: { fill: "solid", mark: "M-2-3 3 0-2 3z", isArea: true },
  awaiting_input: { fill: "hollow", mark: "M0-3v3.4M0 2.2v.8" },
  deferred: { fill: "hollow", mark: "M-1.7-2.8v5.6M1.7-2.8v5.6" },
  up_for_reschedule: { fill: "hollow", mark: "M0-3.4A3.4 3.4 0 1 0 .01-3.4M0-1.8V0l1.4.9" },
  queued: { fill: "hollow", mark: "M-3.4 0h.6M-.3 0h.6M2.8 0h.6" },
  scheduled: { fill: "hollow", mark: "M-1.4 0A1.4 1.4 0 1 0 1.4 0 1.4 1.4 0 1 0-1.4 0z", isArea: true },
  none: { fill: "dashed", mark: null },
  skipped: { fill: "hollow", mark: "M-3-2.4-.6 0-3 2.4M.4-2.4 2.8 0 .4 2.4" },
  removed: { fill: "hollow", mark: "M-2.6 0h5.2" },
};

/** Those that a grid can show. */
export const GRID_STATES = STATES.filter((state) => state !== "awaiting_input");

/** How a run began, as a mark in the same box; lib/runType.ts has the words. */
export const RUN_MARKS: Record<string, { mark: string; isArea: boolean }> = {
  scheduled: { mark: LOOKS.up_for_reschedule.mark ?? "", isArea: false },
  manual: { mark: "M-2-3.4 3.4 0-2 3.4z", isArea: true },
  backfill: { mark: "M0-3-3.4 0 0 3zM3.4-3 0 0l3.4 3z", isArea: true },
};
