// What the grid knows of a run, and how it says so.

import { runTypeWord } from "../../lib/runType";
import { stateWord } from "../../lib/state";
import { quantile } from "../../lib/stats";
import type { PaintedRun } from "./paint";

export interface GridRunView extends PaintedRun {
  run_after: string;
  start_date: string | null;
  end_date: string | null;
}

/** "manual__2026…, failed, manual": a column's name for screen readers. */
export function runWords(run: GridRunView): string {
  return `${run.run_id}, ${stateWord(run.state)}, ${runTypeWord(run.run_type)}`;
}

/** Seconds that each run took, those that go on until `now`; 0 before the start. */
export function runLengths(runs: readonly GridRunView[], now: number): number[] {
  return runs.map((run) => {
    if (!run.start_date) return 0;
    const end = run.end_date ? Date.parse(run.end_date) : now;
    return Math.max(0, (end - Date.parse(run.start_date)) / 1_000);
  });
}

/** Bars longer than this many times what is usual are cut, so that the others can still be compared. */
const UNUSUAL = 4;

/** The longest duration that the axis has to show. */
export function axisLength(lengths: readonly number[]): number {
  const usual = quantile(
    lengths.filter((length) => length > 0),
    0.8,
  );
  const longest = Math.max(0, ...lengths);
  return usual === null ? longest : Math.min(longest, usual * UNUSUAL);
}
