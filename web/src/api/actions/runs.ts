// Changes of runs.

import { api, body } from "../client";
import type { Schemas } from "../types";
import { action, ofRun, ofRuns } from "./action";
import { eachOf } from "./many";

export type Edit = { dagId: string; runId: string } & Schemas["EditBody"];

/** Exactly which task instances an edit would change; nothing is changed. */
export function previewEdit({ dagId, runId, ...json }: Edit, signal?: AbortSignal) {
  return body(
    api.POST("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit/preview", {
      params: { path: { dag_id: dagId, dag_run_id: runId } },
      body: json,
      signal,
    }),
  );
}

/** Clears, marks or cancels within one run. */
export const editRun = action(
  ({ dagId, runId, ...json }: Edit) =>
    body(
      api.POST("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit", {
        params: { path: { dag_id: dagId, dag_run_id: runId } },
        body: json,
      }),
    ),
  ofRun,
);

export type Clear = { dagId: string } & Schemas["ClearTaskInstancesBody"];

/** Exactly which task instances a clear over several runs would change. */
export function previewClear({ dagId, ...json }: Clear, signal?: AbortSignal) {
  return body(
    api.POST("/api/v2/dags/{dag_id}/clearTaskInstances", {
      params: { path: { dag_id: dagId } },
      body: { ...json, dry_run: true },
      signal,
    }),
  );
}

/** Clears over past and future runs, too. */
export const clearTasks = action(
  ({ dagId, ...json }: Clear) =>
    body(
      api.POST("/api/v2/dags/{dag_id}/clearTaskInstances", {
        params: { path: { dag_id: dagId } },
        body: { ...json, dry_run: false },
      }),
    ),
  ofRuns,
);

export type RunPlace = { dagId: string; runId: string };

/** A run's state or note: only what is given is changed. */
export const patchRun = action(
  ({ dagId, runId, ...json }: RunPlace & Schemas["DAGRunPatchBody"]) =>
    body(
      api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", {
        params: {
          path: { dag_id: dagId, dag_run_id: runId },
          query: { update_mask: Object.keys(json) },
        },
        body: json,
      }),
    ),
  ofRun,
);

export const deleteRun = action(
  ({ dagId, runId }: RunPlace) =>
    body(
      api.DELETE("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", {
        params: { path: { dag_id: dagId, dag_run_id: runId } },
      }),
    ),
  ({ dagId }) => [["dag", dagId, "runs"], ["dag", dagId, "count"], ["list"]],
);

export const deleteRuns = action(
  ({ runs }: { runs: RunPlace[] }) => eachOf(runs, deleteRun.run),
  () => [["dag"], ["list"]],
);

/** A mail or another thing that a DAG asked for. */
export const retryCallback = action(
  ({ id }: { id: number }) =>
    body(api.POST("/ui/callbacks/{callback_id}/retry", { params: { path: { callback_id: id } } })),
  () => [["list", "callbacks"]],
);
