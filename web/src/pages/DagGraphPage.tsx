// The graph of a DAG with the states of one of its runs: the newest, or the one in the URL.

import { useQuery } from "@tanstack/react-query";
import { runQuery, runsQuery } from "../api/queries";
import { RunPicker } from "../parts/RunPicker";
import { usePlace } from "../parts/usePlace";
import { useUrl } from "../parts/useUrl";
import { GraphBoard } from "./graph/GraphBoard";

const RUNS_OFFERED = 50;

export function DagGraphPage() {
  const { dagId } = usePlace();
  const url = useUrl();
  const asked = url.text("run_id");
  const runs = useQuery(runsQuery(dagId, { limit: RUNS_OFFERED, order_by: ["-run_after"] }));
  const offered = runs.data?.dag_runs ?? [];
  const isOffered = asked === "" || offered.some((run) => run.dag_run_id === asked);
  const older = useQuery({ ...runQuery(dagId, asked), enabled: runs.isSuccess && !isOffered });
  const all = older.data && !isOffered ? [...offered, older.data] : offered;
  const run = asked === "" ? all[0] : all.find((run) => run.dag_run_id === asked);
  return (
    <GraphBoard
      dagId={dagId}
      run={run ?? null}
      picker={
        runs.isSuccess && all.length === 0 ? (
          <span className="text-sm text-muted">No run yet</span>
        ) : (
          <RunPicker
            runs={all}
            value={run?.dag_run_id ?? (asked || null)}
            onChange={(runId) => url.set({ run_id: runId === all[0]?.dag_run_id ? null : runId }, true)}
          />
        )
      }
    />
  );
}
