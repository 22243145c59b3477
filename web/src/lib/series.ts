// How long tasks took in run after run, and how late: the numbers of the charts of a DAG.

import { summarize } from "./stats";

/** What of a grid with times the series are made of. */
export interface TimedGrid {
  tasks: readonly { id: string; kind: "task" | "group" }[];
  /** The newest first */
  runs: readonly TimedRun[];
}

export interface TimedRun {
  run_id: string;
  state: string;
  run_after: string;
  data_interval_end: string | null;
  start_date: string | null;
  end_date: string | null;
  starts?: readonly (number | null)[];
  ends?: readonly (number | null)[];
}

export interface Series {
  /** A task's id; "" for the run as a whole */
  id: string;
  label: string;
  /** Seconds, a value a run; null where there is none */
  values: (number | null)[];
  median: number | null;
  p95: number | null;
}

export interface SeriesSet {
  /** The oldest first */
  runs: TimedRun[];
  total: Series;
  /** In the order of the DAG */
  tasks: Series[];
}

/** From the start of the last try to its end; what goes on lasts until `now`. */
export function durationSeries(grid: TimedGrid, now: number): SeriesSet {
  return toSeries(grid, (start, end) => (start === null ? null : Math.max(0, (end ?? now) - start)));
}

/** From the end of a run's data interval to the end of a task. Runs without a data interval have none. */
export function landingSeries(grid: TimedGrid): SeriesSet {
  return toSeries(grid, (_start, end, run) => {
    const due = millis(run.data_interval_end);
    return end === null || due === null ? null : end - due;
  });
}

type Measure = (start: number | null, end: number | null, run: TimedRun) => number | null;

function toSeries(grid: TimedGrid, measure: Measure): SeriesSet {
  const runs = grid.runs.toReversed();
  const inSeconds: Measure = (start, end, run) => {
    const span = measure(start, end, run);
    return span === null ? null : span / 1_000;
  };
  const series = (id: string, label: string, values: (number | null)[]): Series => ({
    id,
    label,
    values,
    ...summarize(values),
  });
  return {
    runs,
    total: series(
      "",
      "Whole run",
      runs.map((run) => inSeconds(millis(run.start_date), millis(run.end_date), run)),
    ),
    tasks: grid.tasks
      .filter((task) => task.kind === "task")
      .map((task, place) =>
        series(
          task.id,
          task.id,
          runs.map((run) => inSeconds(run.starts?.[place] ?? null, run.ends?.[place] ?? null, run)),
        ),
      ),
  };
}

function millis(at: string | null): number | null {
  if (at === null) return null;
  const parsed = Date.parse(at);
  return Number.isFinite(parsed) ? parsed : null;
}

/** The ids of the tasks that usually take longest. */
export function longestTasks(tasks: readonly Series[], most: number): string[] {
  return tasks
    .filter((task) => task.median !== null)
    .sort((a, b) => (b.median ?? 0) - (a.median ?? 0))
    .slice(0, most)
    .map((task) => task.id);
}
