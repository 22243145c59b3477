// The Gantt chart of a run.

import { usePlace } from "../parts/usePlace";
import { RunGantt } from "./gantt/RunGantt";

export function RunGanttPage() {
  const { dagId, runId } = usePlace();
  return <RunGantt dagId={dagId} runId={runId} />;
}
