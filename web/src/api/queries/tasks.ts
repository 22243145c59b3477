// Task instances.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../client";
import type { Schemas } from "../types";
import { ALL, type QueryOf } from "./filter";

export type TasksFilter = QueryOf<"/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances">;

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

export type NeighbourTasks = Schemas["NeighbourTasks"];
export type NeighbourRun = Schemas["NeighbourRun"];

/** The tasks before and after a task, and the runs before and after its own. */
export const neighboursQuery = (dagId: string, runId: string, taskId: string) =>
  queryOptions({
    // Under the DAG: a run that begins is the next one of another.
    queryKey: ["dag", dagId, "runs", "neighbours", runId, taskId],
    queryFn: ({ signal }) =>
      body(
        api.GET("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/neighbours", {
          params: { path: { dag_id: dagId, dag_run_id: runId, task_id: taskId } },
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

/** Of an entry that was written then: it is asked once, until the list of them says that it was written anew. */
export const xcomQuery = (place: TaskPlace, key: string, writtenAt: string) =>
  queryOptions({
    queryKey: ["xcom", place, key, writtenAt],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", {
          params: { path: { ...taskPath(place), xcom_key: key }, query: { map_index: mapIndexOf(place) } },
          signal,
        }),
      ),
  });
