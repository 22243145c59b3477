// What the views of a DAG and of a run draw.

import { type Query, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import type { QueryOf } from "./filter";

export type GridFilter = QueryOf<"/ui/dags/{dag_id}/grid">;
export type GraphFilter = QueryOf<"/ui/dags/{dag_id}/graph">;
export type CalendarFilter = Required<QueryOf<"/ui/dags/{dag_id}/calendar">>;

/** Another DAG's answer is never shown under this one's name. */
const ofSameDag =
  (dagId: string) =>
  <T>(before: T | undefined, query: Pick<Query, "queryKey"> | undefined): T | undefined =>
    query?.queryKey[1] === dagId ? before : undefined;

export const gridQuery = (dagId: string, filter: GridFilter = {}) =>
  queryOptions({
    queryKey: ["dag", dagId, "runs", "grid", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/grid", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: ofSameDag(dagId),
  });

export const graphQuery = (dagId: string, filter: GraphFilter = {}) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "graph", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/graph", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: ofSameDag(dagId),
  });

export const calendarQuery = (dagId: string, filter: CalendarFilter) =>
  queryOptions({
    queryKey: ["dag", dagId, "count", "calendar", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/calendar", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: ofSameDag(dagId),
  });

export const ganttQuery = (dagId: string, runId: string) =>
  queryOptions({
    queryKey: ["run", dagId, runId, "gantt"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/gantt", {
          params: { path: { dag_id: dagId, dag_run_id: runId } },
          signal,
        }),
      ),
  });
