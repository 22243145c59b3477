// The Gantt chart of one run of a DAG: the newest, or the one that is chosen.

import { useQuery } from "@tanstack/react-query";
import { ChartNoAxesGantt } from "lucide-react";
import { runsQuery } from "../api/queries";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { Loading } from "../parts/Loading";
import { RunPicker } from "../parts/RunPicker";
import { usePlace } from "../parts/usePlace";
import { useUrl } from "../parts/useUrl";
import { RunGantt } from "./gantt/RunGantt";

export function DagGanttPage() {
  const { dagId } = usePlace();
  const url = useUrl();
  const chosen = url.text("run_id");
  const runs = useQuery(runsQuery(dagId, { limit: 50, order_by: ["-run_after"] }));
  return (
    <Loaded query={runs} what="The runs" loading={<Loading height={480} />}>
      {({ dag_runs }) => {
        const runId = chosen || dag_runs[0]?.dag_run_id;
        if (!runId) {
          return (
            <Empty icon={ChartNoAxesGantt} title="This DAG has not run yet.">
              Once it has, this shows when each of its tasks waited and worked.
            </Empty>
          );
        }
        const picker = <RunPicker runs={dag_runs} value={runId} onChange={(run_id) => url.set({ run_id })} />;
        return <RunGantt dagId={dagId} runId={runId} before={picker} />;
      }}
    </Loaded>
  );
}
