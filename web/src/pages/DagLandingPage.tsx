// How late the tasks of a DAG were done in run after run.

import { landingSeries } from "../lib/series";
import { SeriesPage } from "./series/SeriesPage";

export function DagLandingPage() {
  return (
    <SeriesPage
      what="Landing time"
      explain="How long after the end of a run's data interval each task was done: what someone who waits for the data waits."
      measure={landingSeries}
      noValues="It counts from the end of a run's data interval to the end of a task. These runs have no data interval, or nothing of them has ended yet."
    />
  );
}
