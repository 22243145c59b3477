// Small drawings on the boxes, as paths: of operator families (lucide's icons, 24 × 24) and of states (12 × 12, as StateDot).

import type { Family } from "../../lib/graph";
import type { State } from "../../lib/state";

export const FAMILY_PATHS: Record<Family, string> = {
  group:
    "M20 20a2 2 0 0 0 2-2V8a2 2 0 0 0-2-2h-7.9a2 2 0 0 1-1.69-.9L9.6 3.9A2 2 0 0 0 7.93 3H4a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2Z",
  empty:
    "M10.1 2.182a10 10 0 0 1 3.8 0M13.9 21.818a10 10 0 0 1-3.8 0M17.609 3.721a10 10 0 0 1 2.69 2.7M2.182 13.9a10 10 0 0 1 0-3.8M20.279 17.609a10 10 0 0 1-2.7 2.69M21.818 10.1a10 10 0 0 1 0 3.8M3.721 6.391a10 10 0 0 1 2.7-2.69M6.391 20.279a10 10 0 0 1-2.69-2.7",
  shell: "M12 19h8M4 17l6-6-6-6",
  code: "M18 16l4-4-4-4M6 8l-4 4 4 4M14.5 4l-5 16",
  sensor: "M22 12a10 10 0 1 1-20 0a10 10 0 1 1 20 0M12 6v6l4 2",
  branch: "M16 3h5v5M8 3H3v5M12 22v-8.3a4 4 0 0 0-1.172-2.872L3 3M15 9l6-6",
  sql: "M21 5a9 3 0 1 1-18 0a9 3 0 1 1 18 0M3 5V19A9 3 0 0 0 21 19V5M3 12A9 3 0 0 0 21 12",
  http: "M22 12a10 10 0 1 1-20 0a10 10 0 1 1 20 0M12 2a14.5 14.5 0 0 0 0 20 14.5 14.5 0 0 0 0-20M2 12h20",
  message:
    "M22 7l-8.991 5.727a2 2 0 0 1-2.009 0L2 7M4 4h16a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2",
  dag: "M5 3h4a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2M7 11v4a2 2 0 0 0 2 2h4M15 13h4a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2h-4a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2",
  person: "M16 11l2 2 4-4M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2M13 7a4 4 0 1 1-8 0a4 4 0 1 1 8 0",
  other:
    "M21 8a2 2 0 0 0-1-1.73l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.73l7 4a2 2 0 0 0 2 0l7-4A2 2 0 0 0 21 16ZM3.3 7l8.7 5 8.7-5M12 22V12",
};

export interface Mark {
  path: string;
  isFilled: boolean;
  stroke: number;
  dash?: readonly number[];
}

const circle = (r: number) => `M${6 + r} 6a${r} ${r} 0 1 1 ${-2 * r} 0a${r} ${r} 0 1 1 ${2 * r} 0`;
const RING: Mark = { path: circle(5), isFilled: false, stroke: 2 };
const BUSY: Mark = { path: `${circle(5)}${circle(1.2)}`, isFilled: false, stroke: 2 };
const AGAIN: Mark = { path: "M10.6 4A5 5 0 1 0 11 6M11 1v3.4H7.6", isFilled: false, stroke: 1.8 };

const MARKS: Partial<Record<State, Mark>> = {
  success: { path: circle(5.5), isFilled: true, stroke: 0 },
  failed: { path: "M6 0 12 6 6 12 0 6z", isFilled: true, stroke: 0 },
  upstream_failed: { path: "M6 1.4 10.6 6 6 10.6 1.4 6z", isFilled: false, stroke: 2 },
  running: BUSY,
  restarting: BUSY,
  up_for_retry: AGAIN,
  up_for_reschedule: AGAIN,
  skipped: { path: "M2 2.5 6 6 2 9.5M6.5 2.5l4 3.5-4 3.5", isFilled: false, stroke: 2 },
  removed: { path: "M2.5 2.5l7 7M9.5 2.5l-7 7", isFilled: false, stroke: 2 },
  none: { path: circle(4.6), isFilled: false, stroke: 1.6, dash: [2.4, 2] },
};

export function stateMark(state: State): Mark {
  return MARKS[state] ?? RING;
}

const paths = new Map<string, Path2D>();

/** Paths are parsed once. */
export function pathOf(text: string): Path2D {
  let path = paths.get(text);
  if (!path) {
    path = new Path2D(text);
    paths.set(text, path);
  }
  return path;
}
