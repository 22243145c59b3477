// Changes of task instances.

import { api, body } from "../client";
import { type TaskPlace, taskPath } from "../queries";
import type { Schemas } from "../types";
import { action, ofRun, ofRuns } from "./action";
import { eachOf } from "./many";
import { editRun } from "./runs";

/** A task instance's note, or its state together with those around it (past, future, upstream, downstream). */
export const patchTask = action(
  ({ dagId, runId, taskId, mapIndex, ...json }: TaskPlace & Schemas["PatchTaskInstanceBody"]) =>
    body(
      api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}", {
        params: {
          path: { dag_id: dagId, dag_run_id: runId, task_id: taskId },
          query: { map_index: mapIndex < 0 ? undefined : mapIndex },
        },
        body: json,
      }),
    ),
  ofRuns,
);

/** Exactly which task instances `patchTask` would change. */
export function previewPatchTask(
  { dagId, runId, taskId, mapIndex, ...json }: TaskPlace & Schemas["PatchTaskInstanceBody"],
  signal?: AbortSignal,
) {
  return body(
    api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dry_run", {
      params: {
        path: { dag_id: dagId, dag_run_id: runId, task_id: taskId },
        query: { map_index: mapIndex < 0 ? undefined : mapIndex },
      },
      body: json,
      signal,
    }),
  );
}

/** Clears or marks chosen task instances, of any runs. */
export const editTasks = action(
  ({ tasks, ...json }: { tasks: TaskPlace[] } & Schemas["EditBody"]) =>
    eachOf(tasks, ({ dagId, runId, taskId, mapIndex }) =>
      editRun.run({ ...json, dagId, runId, task_id: taskId, map_index: mapIndex < 0 ? undefined : mapIndex }),
    ),
  () => [["run"], ["dag"], ["list"]],
);

export const writeXcom = action(
  ({ place, key, value, isNew }: { place: TaskPlace; key: string; value: unknown; isNew: boolean }) => {
    const path = taskPath(place);
    const map_index = place.mapIndex;
    return isNew
      ? body(
          api.POST("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries", {
            params: { path },
            body: { key, value, map_index },
          }),
        )
      : body(
          api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", {
            params: { path: { ...path, xcom_key: key } },
            body: { value, map_index },
          }),
        );
  },
  ({ place }) => ofRun(place),
);

export const deleteXcom = action(
  ({ place, key }: { place: TaskPlace; key: string }) =>
    body(
      api.DELETE("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", {
        params: { path: { ...taskPath(place), xcom_key: key }, query: { map_index: place.mapIndex } },
      }),
    ),
  ({ place }) => ofRun(place),
);
