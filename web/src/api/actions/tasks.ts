// Changes of task instances.

import { api, body } from "../client";
import type { TaskPlace } from "../queries";
import type { Schemas } from "../types";
import { action, ofRuns } from "./action";

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
