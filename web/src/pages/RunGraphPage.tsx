// The graph of a DAG with the states of this run.

import { useQuery } from "@tanstack/react-query";
import { runQuery } from "../api/queries";
import { Loaded } from "../parts/Loaded";
import { Loading } from "../parts/Loading";
import { usePlace } from "../parts/usePlace";
import { GraphBoard } from "./graph/GraphBoard";

export function RunGraphPage() {
  const { dagId, runId } = usePlace();
  return (
    <Loaded query={useQuery(runQuery(dagId, runId))} what="The run" loading={<Loading label="Graph" height={480} />}>
      {(run) => <GraphBoard dagId={dagId} run={run} />}
    </Loaded>
  );
}
