// DAGs: lists of them, and everything about one but its runs.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import type { QueryOf } from "./filter";

export type DagsFilter = QueryOf<"/api/v2/dags">;
export type CardsFilter = QueryOf<"/ui/dags">;

export const dagCardsQuery = (filter: CardsFilter) =>
  queryOptions({
    queryKey: ["list", "dags", "cards", filter],
    queryFn: ({ signal }) => body(api.GET("/ui/dags", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const dagsQuery = (filter: DagsFilter) =>
  queryOptions({
    queryKey: ["list", "dags", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/dags", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const tagsQuery = queryOptions({
  queryKey: ["list", "tags"],
  queryFn: ({ signal }) => body(api.GET("/api/v2/dagTags", { params: { query: { limit: 1_000 } }, signal })),
  staleTime: 60_000,
});

/** Everything about a DAG but its runs: also `is_paused`, `is_favorite`, `params`, `doc_md`, `timezone`. */
export const dagQuery = (dagId: string) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "details"],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v2/dags/{dag_id}/details", { params: { path: { dag_id: dagId } }, signal })),
  });

export const dagTasksQuery = (dagId: string) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "tasks"],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v2/dags/{dag_id}/tasks", { params: { path: { dag_id: dagId } }, signal })),
  });

export const dagVersionsQuery = (dagId: string, page: { limit?: number; offset?: number } = {}) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "versions", page],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagVersions", {
          params: { path: { dag_id: dagId }, query: { order_by: ["-version_number"], ...page } },
          signal,
        }),
      ),
  });

/** A version's text; null = the newest. */
export const dagSourceQuery = (dagId: string, version: number | null) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "source", version],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dagSources/{dag_id}", {
          params: { path: { dag_id: dagId }, query: { version_number: version ?? undefined } },
          headers: { Accept: "application/json" },
          signal,
        }),
      ),
  });

/** The DAG's document as the file has it, or as it was for a run. */
export const documentQuery = (dagId: string, runId: string | null = null) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "document", runId],
    queryFn: ({ signal }) =>
      body(
        api.GET("/ui/dags/{dag_id}/document", {
          params: { path: { dag_id: dagId }, query: { dag_run_id: runId ?? undefined } },
          signal,
        }),
      ),
  });

export const backlogQuery = (dagId: string) =>
  queryOptions({
    queryKey: ["dag", dagId, "count", "backlog"],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/backlog", { params: { path: { dag_id: dagId } }, signal })),
  });

export const dagWarningsQuery = (dagId?: string) =>
  queryOptions({
    queryKey: dagId ? ["dag", dagId, "text", "warnings"] : ["list", "warnings"],
    queryFn: ({ signal }) => body(api.GET("/api/v2/dagWarnings", { params: { query: { dag_id: dagId } }, signal })),
  });
