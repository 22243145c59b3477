// Which DAG, run and task the URL is about.

import { useParams, useSearch } from "@tanstack/react-router";
import { numberOf, type Search } from "../lib/search";

export interface Place {
  dagId: string;
  runId: string;
  taskId: string;
  /** -1 for a task that is not mapped */
  mapIndex: number;
}

/** What the URL does not say is "". */
export function usePlace(): Place {
  const params = useParams({ strict: false });
  const search = useSearch({ strict: false }) as Search;
  return {
    dagId: params.dagId ?? "",
    runId: params.runId ?? "",
    taskId: params.taskId ?? "",
    mapIndex: numberOf(search, "map_index", -1),
  };
}
