// Every question to the server: its key and its fetch in one place.
//
// Keys begin with what makes them stale (see live.ts):
//   ["dag", dagId, "runs", …]   moves whenever a run of the DAG does
//   ["dag", dagId, "text", …]   moves only when the DAG itself changes
//   ["run", dagId, runId, …]    moves with one run
//   ["list", …]                 across DAGs
//   ["admin", …], ["me"]

import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { type Role, roleMay } from "../lib/role";
import { api, body } from "./client";
import type { paths } from "./schema";
import type { Me, Schemas } from "./types";

export type * from "./types";

type QueryOf<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never;

export type DagsFilter = NonNullable<QueryOf<"/api/v2/dags">>;
export type CardsFilter = NonNullable<QueryOf<"/ui/dags">>;
export type GridFilter = NonNullable<QueryOf<"/ui/dags/{dag_id}/grid">>;
export type GraphFilter = NonNullable<QueryOf<"/ui/dags/{dag_id}/graph">>;
export type CalendarFilter = Required<NonNullable<QueryOf<"/ui/dags/{dag_id}/calendar">>>;
export type RunsFilter = NonNullable<QueryOf<"/api/v2/dags/{dag_id}/dagRuns">>;
export type TasksFilter = NonNullable<QueryOf<"/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances">>;
export type EventsFilter = NonNullable<QueryOf<"/api/v2/eventLogs">>;
export type ErrorsFilter = NonNullable<QueryOf<"/api/v2/importErrors">>;

/** In place of an id: of all. */
export const ALL = "~";

// --- who is there ---

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => body(api.GET("/auth/me", { signal })),
  staleTime: 60_000,
  retry: false,
});

/** Who is logged in, and what their role allows. The shell has it before any page is drawn. */
export function useMe(): { me: Me | undefined; may: (needs: Role) => boolean } {
  const me = useQuery(meQuery).data;
  return { me, may: (needs) => roleMay(me?.role, needs) };
}

export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: ({ signal }) => body(api.GET("/api/v2/version", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const healthQuery = queryOptions({
  queryKey: ["admin", "health"],
  queryFn: ({ signal }) => body(api.GET("/api/v2/monitor/health", { signal })),
});

// --- DAGs ---

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
    queryKey: ["dag", dagId, "runs", "backlog"],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/backlog", { params: { path: { dag_id: dagId } }, signal })),
  });

export const dagWarningsQuery = (dagId?: string) =>
  queryOptions({
    queryKey: dagId ? ["dag", dagId, "text", "warnings"] : ["list", "warnings"],
    queryFn: ({ signal }) => body(api.GET("/api/v2/dagWarnings", { params: { query: { dag_id: dagId } }, signal })),
  });

// --- the views of a DAG ---

export const gridQuery = (dagId: string, filter: GridFilter = {}) =>
  queryOptions({
    queryKey: ["dag", dagId, "runs", "grid", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/grid", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const graphQuery = (dagId: string, filter: GraphFilter = {}) =>
  queryOptions({
    queryKey: ["dag", dagId, "text", "graph", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/graph", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const calendarQuery = (dagId: string, filter: CalendarFilter) =>
  queryOptions({
    queryKey: ["dag", dagId, "runs", "calendar", filter],
    queryFn: ({ signal }) =>
      body(api.GET("/ui/dags/{dag_id}/calendar", { params: { path: { dag_id: dagId }, query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

// --- runs and task instances ---

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

/** Task instances of a run, of all runs of a DAG, or of everything (`ALL`). */
export const tasksQuery = (dagId: string, runId: string, filter: TasksFilter) =>
  queryOptions({
    queryKey:
      dagId === ALL
        ? ["list", "tasks", filter]
        : runId === ALL
          ? ["dag", dagId, "runs", "tasks", filter]
          : ["run", dagId, runId, "list", filter],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances", {
          params: { path: { dag_id: dagId, dag_run_id: runId }, query: filter },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** Which task instance: `mapIndex` is -1 for a task that is not mapped. */
export interface TaskPlace {
  dagId: string;
  runId: string;
  taskId: string;
  mapIndex: number;
}

const taskKey = ({ dagId, runId, taskId, mapIndex }: TaskPlace) => ["run", dagId, runId, "task", taskId, mapIndex];
/** Where a task instance is, but for its index. */
export const taskPath = ({ dagId, runId, taskId }: TaskPlace) => ({
  dag_id: dagId,
  dag_run_id: runId,
  task_id: taskId,
});
/** Airflow leaves the index out where there is none. */
const mapIndexOf = ({ mapIndex }: TaskPlace) => (mapIndex < 0 ? undefined : mapIndex);

export const taskQuery = (place: TaskPlace) =>
  queryOptions({
    queryKey: [...taskKey(place), "instance"],
    queryFn: ({ signal }) =>
      place.mapIndex < 0
        ? body(
            api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}", {
              params: { path: taskPath(place) },
              signal,
            }),
          )
        : body(
            api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}", {
              params: { path: { ...taskPath(place), map_index: place.mapIndex } },
              signal,
            }),
          ),
  });

export const triesQuery = (place: TaskPlace) =>
  queryOptions({
    queryKey: [...taskKey(place), "tries"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries", {
          params: { path: taskPath(place), query: { map_index: mapIndexOf(place) } },
          signal,
        }),
      ),
  });

/** Why the task instance is where it is, in sentences. */
export const explainQuery = (place: TaskPlace) =>
  queryOptions({
    queryKey: [...taskKey(place), "explain"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/explain", {
          params: { path: { ...taskPath(place), map_index: place.mapIndex } },
          signal,
        }),
      ),
  });

export const renderedQuery = (place: TaskPlace) =>
  queryOptions({
    queryKey: [...taskKey(place), "rendered"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/rendered", {
          params: { path: { ...taskPath(place), map_index: place.mapIndex } },
          signal,
        }),
      ),
  });

export const xcomsQuery = (place: TaskPlace) =>
  queryOptions({
    queryKey: [...taskKey(place), "xcoms"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries", {
          params: { path: taskPath(place), query: { map_index: mapIndexOf(place), limit: 1_000 } },
          signal,
        }),
      ),
  });

export const xcomQuery = (place: TaskPlace, key: string) =>
  queryOptions({
    queryKey: [...taskKey(place), "xcom", key],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", {
          params: { path: { ...taskPath(place), xcom_key: key }, query: { map_index: mapIndexOf(place) } },
          signal,
        }),
      ),
  });

// --- events and errors ---

/** The audit log. */
export const eventsQuery = (filter: EventsFilter) =>
  queryOptions({
    queryKey: ["list", "events", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/eventLogs", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const importErrorsQuery = (filter: ErrorsFilter = {}) =>
  queryOptions({
    queryKey: ["list", "errors", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/importErrors", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

// --- administration ---

export const poolsQuery = (filter: NonNullable<QueryOf<"/api/v2/pools">> = {}) =>
  queryOptions({
    queryKey: ["list", "pools", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/pools", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const variablesQuery = (filter: NonNullable<QueryOf<"/api/v2/variables">> = {}) =>
  queryOptions({
    queryKey: ["admin", "variables", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/variables", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const connectionsQuery = (filter: NonNullable<QueryOf<"/api/v2/connections">> = {}) =>
  queryOptions({
    queryKey: ["admin", "connections", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/connections", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const usersQuery = (filter: NonNullable<QueryOf<"/api/v2/users">> = {}) =>
  queryOptions({
    queryKey: ["admin", "users", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/users", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const tokensQuery = (filter: NonNullable<QueryOf<"/api/v2/tokens">> = {}) =>
  queryOptions({
    queryKey: ["admin", "tokens", filter],
    queryFn: ({ signal }) => body(api.GET("/api/v2/tokens", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const configQuery = queryOptions({
  queryKey: ["admin", "config"],
  queryFn: ({ signal }) =>
    body(api.GET("/api/v2/config", { headers: { Accept: "application/json" }, signal })) as Promise<Schemas["Config"]>,
});

/** Heartbeats are no events, so this is asked again and again. */
export const processesQuery = queryOptions({
  queryKey: ["admin", "processes"],
  queryFn: ({ signal }) => body(api.GET("/ui/processes", { signal })),
  refetchInterval: 5_000,
});

// --- the editor ---

export const filesQuery = queryOptions({
  queryKey: ["list", "files"],
  queryFn: ({ signal }) => body(api.GET("/ui/files", { signal })),
});

export const fileQuery = (path: string) =>
  queryOptions({
    queryKey: ["file", path],
    queryFn: ({ signal }) => body(api.GET("/ui/files/{path}", { params: { path: { path } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const dagSchemaQuery = queryOptions({
  queryKey: ["schema", "dag"],
  queryFn: ({ signal }) => body(api.GET("/ui/schema/dag", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** What is wrong with a text, and its graph. A question, although it is sent with POST. */
export const checkQuery = (path: string | null, text: string) =>
  queryOptions({
    queryKey: ["check", path, text],
    queryFn: ({ signal }) => body(api.POST("/ui/dags/check", { body: { path, text }, signal })),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
