// How long the tasks of a DAG took in run after run.

import { useCallback } from "react";
import { durationSeries, type TimedGrid } from "../lib/series";
import { SeriesPage } from "./series/SeriesPage";

export function DagDurationPage() {
  // What still runs counts until the moment its news came.
  const measure = useCallback((grid: TimedGrid) => durationSeries(grid, Date.now()), []);
  return (
    <SeriesPage
      what="Duration"
      explain="How long the last try of each task took, from its start to its end, in run after run. Click a point to see the task."
      measure={measure}
      noValues="No task of these runs has begun."
    />
  );
}
