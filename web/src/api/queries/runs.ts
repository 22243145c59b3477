// Runs.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import { ALL, type QueryOf } from "./filter";

export type RunsFilter = QueryOf<"/api/v2/dags/{dag_id}/dagRuns">;

/** Runs of a DAG, or of `ALL`. */
export const runsQuery = (dagId: string, filter: RunsFilter) =>
  queryOptions({
    queryKey: dagId === ALL ? ["list", "runs", filter] : ["dag", dagId, "runs", "list", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v2/dags/{dag_id}/dagRuns", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const runQuery = (dagId: string, runId: string) =>
  queryOptions({
    queryKey: ["run", dagId, runId, "run"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", {
          params: { path: { dag_id: dagId, dag_run_id: runId } },
          signal,
        }),
      ),
  });

/** All tasks of a run in the order of the DAG, in few words. */
export const runTasksQuery = (dagId: string, runId: string) =>
  queryOptions({
    queryKey: ["run", dagId, runId, "tasks"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks", {
          params: { path: { dag_id: dagId, dag_run_id: runId } },
          signal,
        }),
      ),
  });
