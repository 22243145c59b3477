// Changes of DAGs.

import { api, body } from "../client";
import type { Schemas } from "../types";
import { action, ofDag } from "./action";
import { eachOf } from "./many";

export const pauseDag = action(
  ({ dagId, isPaused }: { dagId: string; isPaused: boolean }) =>
    body(api.PATCH("/api/v2/dags/{dag_id}", { params: { path: { dag_id: dagId } }, body: { is_paused: isPaused } })),
  ofDag,
);

/** One after the other: there is no call that takes a list of names. Says which could not be changed. */
export const pauseDags = action(
  async ({ dagIds, isPaused }: { dagIds: string[]; isPaused: boolean }) =>
    eachOf(dagIds, (dagId) => pauseDag.run({ dagId, isPaused })),
  () => [["dag"], ["list"]],
);

export const markFavorite = action(
  ({ dagId, isFavorite }: { dagId: string; isFavorite: boolean }) =>
    isFavorite
      ? body(api.POST("/api/v2/dags/{dag_id}/favorite", { params: { path: { dag_id: dagId } } }))
      : body(api.POST("/api/v2/dags/{dag_id}/unfavorite", { params: { path: { dag_id: dagId } } })),
  ofDag,
);

/** Takes away the DAG's runs and history. It comes back when its file is still there. */
export const deleteDag = action(
  ({ dagId }: { dagId: string }) => body(api.DELETE("/api/v2/dags/{dag_id}", { params: { path: { dag_id: dagId } } })),
  () => [["list"]],
);

/** Has the DAG's file read again at once. */
export const reparseDag = action(
  ({ fileToken }: { dagId: string; fileToken: string }) =>
    body(api.PUT("/api/v2/parseDagFile/{file_token}", { params: { path: { file_token: fileToken } } })),
  ofDag,
);

export const triggerDag = action(
  ({ dagId, ...json }: { dagId: string } & Schemas["TriggerDAGRunPostBody"]) =>
    body(api.POST("/api/v2/dags/{dag_id}/dagRuns", { params: { path: { dag_id: dagId } }, body: json })),
  ofDag,
);
